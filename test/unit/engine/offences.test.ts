import { describe, expect, it } from "vitest";
import { Offences } from "../../../src/engine/offences.js";

const SENTENCE = { spared: 1, first: 1000, longest: 10 * 60_000 };

describe("offences", () => {
  it("charge the first ones alone, and take out for twice as long each time", () => {
    const offences = new Offences<string>(SENTENCE);
    offences.charge("a", 0);
    expect(offences.out(1)).toEqual([]);
    for (const out of [1000, 2000, 4000, 8000]) {
      offences.charge("a", 0);
      expect(offences.out(out - 1).map(([who]) => who)).toEqual(["a"]);
      expect(offences.until("a")).toBe(out);
      expect(offences.out(out)).toEqual([]);
    }
    expect(offences.until("b")).toBe(0);
  });

  it("never take out for more than the longest sentence", () => {
    const offences = new Offences<number>(SENTENCE);
    for (let i = 0; i < 40; i++) offences.charge(0, 0);
    expect(offences.out(10 * 60_000 - 1)).toHaveLength(1);
    expect(offences.out(10 * 60_000)).toEqual([]);
  });

  it("are forgiven and forgotten of who keeps out of trouble", () => {
    const offences = new Offences<number>(SENTENCE);
    for (let i = 0; i < 3; i++) offences.charge(0, 0);
    offences.charge(0, 2000 + 10 * 2000 + 1);
    expect(offences.out(22_002)).toEqual([]);
    offences.charge(1, 1_000_000);
    expect(offences.records.map(([who]) => who)).toEqual([1]);
  });

  it("go on in another thread", () => {
    const offences = new Offences<string>({ ...SENTENCE, spared: 0 });
    offences.charge("a", 0);
    const other = new Offences<string>(SENTENCE, offences.records);
    expect(other.until("a")).toBe(1000);
  });
});
