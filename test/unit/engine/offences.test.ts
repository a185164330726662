import { describe, expect, it } from "vitest";
import { Offences } from "../../../src/engine/offences.js";

describe("offences", () => {
  it("charge the first one alone, and take out for twice as long each time", () => {
    const offences = new Offences();
    offences.charge(3, 0);
    expect(offences.standing(1)).toEqual([]);
    for (const out of [1000, 2000, 4000, 8000]) {
      offences.charge(3, 0);
      expect(offences.standing(out - 1).map(([attachment, { code }]) => [attachment, code])).toEqual([
        [3, "SUSPENDED"],
      ]);
      expect(offences.standing(out)).toEqual([]);
    }
  });

  it("never take out for more than ten minutes", () => {
    const offences = new Offences();
    for (let i = 0; i < 40; i++) offences.charge(0, 0);
    expect(offences.standing(10 * 60_000 - 1)).toHaveLength(1);
    expect(offences.standing(10 * 60_000)).toEqual([]);
  });

  it("are forgiven who keeps out of trouble", () => {
    const offences = new Offences();
    for (let i = 0; i < 3; i++) offences.charge(0, 0);
    offences.charge(0, 2000 + 10 * 2000 + 1);
    expect(offences.standing(22_002)).toEqual([]);
  });
});
