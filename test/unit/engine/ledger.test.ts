import { describe, expect, it } from "vitest";
import { Ledger } from "../../../src/engine/ledger.js";
import type { Answer } from "../../../src/hooks/decision.js";

const wrote = (attachment: string, ...writes: [key: string, value: string | null][]) => ({
  answers: [{ attachment, writes: writes.map(([key, value]) => ({ map: "m", key, value })) } as unknown as Answer],
});

describe("a ledger", () => {
  it("keeps the latest write to each key, in the order in which they were made", () => {
    const ledger = new Ledger();
    ledger.record(wrote("a", ["x", "1"], ["y", "2"]));
    ledger.record(wrote("b", ["x", "3"]));
    ledger.record(wrote("a", ["x", null]));
    const commits = ledger.commits().map(({ attachment, writes }) => [attachment, writes[0]?.key, writes[0]?.value]);
    expect(commits).toEqual([
      ["a", "y", "2"],
      ["b", "x", "3"],
      ["a", "x", null],
    ]);
  });

  it("does not grow with how often a key is written", () => {
    const ledger = new Ledger();
    for (let i = 0; i < 1000; i++) ledger.record(wrote("a", ["x", String(i)]));
    expect(ledger.commits()).toHaveLength(1);
  });
});
