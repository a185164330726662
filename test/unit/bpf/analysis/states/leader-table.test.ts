import { describe, expect, it } from "vitest";
import { LeaderTable } from "../../../../../src/bpf/analysis/states/leader-table.js";
import { Scratch } from "../../../../../src/bpf/analysis/values/scratch.js";

const SIZES = [1, 2, 31, 32, 33, 63, 64, 65, 1000, 4096];
/** Which slots are leaders. */
const PATTERNS: Readonly<Record<string, (slot: number) => boolean>> = {
  none: () => false,
  all: () => true,
  "the first": (slot) => slot === 0,
  "the last of each word": (slot) => slot % 32 === 31,
  "the first of each word": (slot) => slot % 32 === 0,
  "every third": (slot) => slot % 3 === 0,
  "whole words in turn": (slot) => (slot >> 5) % 2 === 0,
  scattered: (slot) => (Math.imul(slot, 0x9e3779b1) >>> 27) % 5 === 0,
};

describe.each(Object.entries(PATTERNS))("a table whose leaders are %s", (_, isLeader) => {
  it.each(SIZES)("numbers them in ascending order, of %d slots", (size) => {
    const expected = Array.from({ length: size }, (_, slot) => slot).filter(isLeader);
    const table = new LeaderTable(size, new Scratch());
    // in another order, and each twice
    for (const slot of [...expected].reverse().concat(expected)) table.add(slot);
    expect(table.count).toBe(expected.length);
    const slots = new Int32Array(table.count);
    table.number(slots);
    expect([...slots]).toEqual(expected);
    for (let slot = 0; slot < size; slot++) expect(table.at(slot), `${slot}`).toBe(expected.indexOf(slot));
  });

  it("has none outside the program", () => {
    const table = new LeaderTable(64, new Scratch());
    for (let slot = 0; slot < 64; slot++) if (isLeader(slot)) table.add(slot);
    table.number(new Int32Array(table.count));
    for (const slot of [-1, -32, -33, -0x8000, 64, 96, 0x7fff_ffff, -0x8000_0000]) expect(table.at(slot)).toBe(-1);
  });
});
