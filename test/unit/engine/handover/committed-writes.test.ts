import { describe, expect, it } from "vitest";
import { CommittedWrites } from "../../../../src/engine/handover/committed-writes.js";
import type { Answer } from "../../../../src/hooks/decision.js";

const wrote = (attachment: string, ...writes: [key: string, value: string | null][]) => ({
  answers: [
    {
      attachment,
      mode: attachment.startsWith("audit") ? "audit" : "enforce",
      writes: writes.map(([key, value]) => ({ map: "m", key, value })),
    } as unknown as Answer,
  ],
});
const told = (committed: CommittedWrites) =>
  committed.commits().map(({ attachment, writes }) => [attachment, writes[0]?.key, writes[0]?.value]);

describe("committed writes", () => {
  it("keeps the latest write to each key, whichever enforcing attachment made it", () => {
    const committed = new CommittedWrites();
    committed.record(wrote("a", ["x", "1"], ["y", "2"]));
    committed.record(wrote("b", ["x", "3"]));
    committed.record(wrote("a", ["x", null]));
    expect(told(committed)).toEqual([
      ["a", "x", null],
      ["a", "y", "2"],
    ]);
  });

  it("keeps what attachments in audit wrote apart", () => {
    const committed = new CommittedWrites();
    committed.record(wrote("a", ["x", "1"]));
    committed.record(wrote("audit-b", ["x", null]));
    committed.record(wrote("audit-c", ["x", "3"]));
    expect(told(committed)).toEqual([
      ["a", "x", "1"],
      ["audit-b", "x", null],
      ["audit-c", "x", "3"],
    ]);
  });

  it("does not grow with keys that come and go in a map that begins empty", () => {
    const committed = new CommittedWrites([{ name: "m", file: null }]);
    for (let i = 0; i < 1000; i++) {
      committed.record(wrote("a", [`k${i}`, "1"]));
      committed.record(wrote("audit-b", [`k${i}`, "1"]));
      committed.record(wrote("audit-c", [`k${i}`, null]));
      committed.record(wrote("a", [`k${i}`, null]));
      committed.record(wrote("audit-b", [`k${i}`, null]));
    }
    expect(told(committed)).toEqual([]);
  });

  it("remembers that a key of a map's file was deleted", () => {
    const committed = new CommittedWrites([{ name: "m", file: "m.json" }]);
    committed.record(wrote("a", ["x", null]));
    expect(told(committed)).toEqual([["a", "x", null]]);
  });

  it("does not grow with keys that come and go in a map that begins with a file", { tags: ["deep"] }, () => {
    const texts = new Map([["m.json", JSON.stringify({ k1: 1, k2: 2 })]]);
    const committed = new CommittedWrites([{ name: "m", file: "m.json" }], () => texts);
    let most = 0;
    for (let i = 0; i < 20_000; i++) {
      committed.record(wrote("a", [`k${i}`, "1"]));
      committed.record(wrote("a", [`k${i}`, null]));
      committed.record(wrote("audit-b", [`k${i}`, null]));
      if (i % 1000 === 0) most = Math.max(most, committed.commits().length);
    }
    // an audit attachment's deletion of what the file has is its own
    expect(most).toBeLessThan(2 * 4200);
    expect(told(committed)).toEqual(
      expect.arrayContaining([
        ["a", "k1", null],
        ["audit-b", "k2", null],
      ]),
    );
    texts.clear();
    for (let i = 0; i < 5000; i++) committed.record(wrote("a", [`k${i}`, null]));
    expect(committed.commits().length).toBeGreaterThan(4096);
  });

  it("does not grow with how often a key is written", () => {
    const committed = new CommittedWrites();
    for (let i = 0; i < 1000; i++) committed.record(wrote("a", ["x", String(i)]));
    expect(committed.commits()).toHaveLength(1);
  });
});
