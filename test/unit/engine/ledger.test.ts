import { describe, expect, it } from "vitest";
import { Ledger } from "../../../src/engine/ledger.js";
import type { Answer } from "../../../src/hooks/decision.js";

const wrote = (attachment: string, ...writes: [key: string, value: string | null][]) => ({
  answers: [
    {
      attachment,
      mode: attachment.startsWith("audit") ? "audit" : "enforce",
      writes: writes.map(([key, value]) => ({ map: "m", key, value })),
    } as unknown as Answer,
  ],
});
const told = (ledger: Ledger) =>
  ledger.commits().map(({ attachment, writes }) => [attachment, writes[0]?.key, writes[0]?.value]);

describe("a ledger", () => {
  it("keeps the latest write to each key, whichever enforcing attachment made it", () => {
    const ledger = new Ledger();
    ledger.record(wrote("a", ["x", "1"], ["y", "2"]));
    ledger.record(wrote("b", ["x", "3"]));
    ledger.record(wrote("a", ["x", null]));
    expect(told(ledger)).toEqual([
      ["a", "x", null],
      ["a", "y", "2"],
    ]);
  });

  it("keeps what attachments in audit wrote apart", () => {
    const ledger = new Ledger();
    ledger.record(wrote("a", ["x", "1"]));
    ledger.record(wrote("audit-b", ["x", null]));
    ledger.record(wrote("audit-c", ["x", "3"]));
    expect(told(ledger)).toEqual([
      ["a", "x", "1"],
      ["audit-b", "x", null],
      ["audit-c", "x", "3"],
    ]);
  });

  it("does not grow with keys that come and go in a map that begins empty", () => {
    const ledger = new Ledger([{ name: "m", file: null }]);
    for (let i = 0; i < 1000; i++) {
      ledger.record(wrote("a", [`k${i}`, "1"]));
      ledger.record(wrote("audit-b", [`k${i}`, "1"]));
      ledger.record(wrote("audit-c", [`k${i}`, null]));
      ledger.record(wrote("a", [`k${i}`, null]));
      ledger.record(wrote("audit-b", [`k${i}`, null]));
    }
    expect(told(ledger)).toEqual([]);
  });

  it("remembers that a key of a map's file was deleted", () => {
    const ledger = new Ledger([{ name: "m", file: "m.json" }]);
    ledger.record(wrote("a", ["x", null]));
    expect(told(ledger)).toEqual([["a", "x", null]]);
  });

  it("does not grow with keys that come and go in a map that begins with a file", () => {
    const texts = new Map([["m.json", JSON.stringify({ k1: 1, k2: 2 })]]);
    const ledger = new Ledger([{ name: "m", file: "m.json" }], () => texts);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      ledger.record(wrote("a", [`k${i}`, "1"]));
      ledger.record(wrote("a", [`k${i}`, null]));
      ledger.record(wrote("audit-b", [`k${i}`, null]));
      if (i % 1000 === 0) most = Math.max(most, ledger.commits().length);
    }
    // an audit attachment's deletion of what the file has is its own
    expect(most).toBeLessThan(2 * 4200);
    expect(told(ledger)).toEqual(
      expect.arrayContaining([
        ["a", "k1", null],
        ["audit-b", "k2", null],
      ]),
    );
    texts.clear();
    for (let i = 0; i < 5000; i++) ledger.record(wrote("a", [`k${i}`, null]));
    expect(ledger.commits().length).toBeGreaterThan(4096);
  });

  it("does not grow with how often a key is written", () => {
    const ledger = new Ledger();
    for (let i = 0; i < 1000; i++) ledger.record(wrote("a", ["x", String(i)]));
    expect(ledger.commits()).toHaveLength(1);
  });
});
