import { describe, expect, it } from "vitest";
import type { KnownMap, KnownReference } from "../../../../src/loaded/identify/known-program.js";
import {
  assignedMaps,
  type LoadedReference,
  loadedReferences,
} from "../../../../src/loaded/identify/map-references.js";
import { EXIT, insn, wide } from "../../../support/translated.js";

const known = (name: string, type: string): KnownMap => ({ name, type, index: null, fixed: null });
const [COUNTS, EVENTS, DATA, OTHER] = [
  known("counts", "hash"),
  known("events", "ringbuf"),
  known(".rodata", "array"),
  known("others", "hash"),
];
const TYPES: Readonly<Record<number, string>> = { 1: "hash", 2: "ringbuf", 3: "array", 4: "hash" };
const fits = (id: number, { type }: KnownMap) => TYPES[id] === type;

/** `1` is a reference to map 1, `3+8` one to offset 8 of its value. */
function loaded(...texts: readonly string[]): LoadedReference[] {
  return texts.map((text) => {
    const [map = "", offset] = text.split("+");
    return { map: Number(map), offset: offset === undefined ? null : Number(offset) };
  });
}

const to = (map: KnownMap, offset: number | null = null): KnownReference => ({ map, offset, slot: 0 });

describe("loadedReferences", () => {
  it("reads the ids and offsets that the kernel shows, and no other wide instructions", () => {
    const code = Buffer.concat([
      ...[wide(1, 1, 7), wide(2, 2, 8, 24), wide(3, 0, 1, 1), wide(4, 3, 5), wide(5, 4, 6)],
      ...[insn(0x85, 0, 0, 0, 1), wide(1, 1, 7), EXIT],
    ]);
    expect(loadedReferences(code)).toEqual(loaded("7", "8+24", "7"));
  });

  it("reads nothing of a wide instruction without its second slot", () => {
    expect(loadedReferences(Buffer.concat([EXIT, insn(0x18, 1, 1, 0, 7)]))).toEqual([]);
  });
});

describe("assignedMaps", () => {
  const program = [to(DATA, 0), to(COUNTS), to(OTHER), to(DATA, 8), to(COUNTS), to(EVENTS)];

  it.each([
    ["the same references", ["3+0", "1", "4", "3+8", "1", "2"]],
    ["other numbers of maps", ["3+0", "4", "1", "3+8", "4", "2"]],
    ["code that was removed at the beginning", ["3+8", "1", "2"]],
    ["code that was removed in the middle and at the end", ["3+0", "4"]],
    ["no references", []],
    ["a first map that stands for the second one", ["1", "3+8", "4"]],
  ])("accepts %s", (_, references) => {
    const assigned = assignedMaps(loaded(...references), program, fits);
    for (const [id, { type }] of assigned!) expect(type).toBe(TYPES[id]);
    expect(assigned!.size).toBe(new Set(references.map((text) => text.split("+")[0])).size);
  });

  it.each([
    ["another map in a second place", ["3+0", "1", "4", "3+8", "4", "2"]],
    ["one map in place of two", ["3+0", "1", "1", "3+8", "1", "2"]],
    ["another offset", ["3+4", "1"]],
    ["an offset in place of the map", ["1+0"]],
    ["a map in place of an offset", ["3"]],
    ["another order", ["2", "1"]],
    ["a map of another type", ["3+0", "2", "4"]],
    ["more references", ["3+0", "1", "4", "3+8", "1", "2", "2"]],
    ["a map that the kernel does not list", ["3+0", "9"]],
  ])("rejects %s", (_, references) => {
    expect(assignedMaps(loaded(...references), program, fits)).toBeNull();
  });

  it("comes to an end where choices multiply", () => {
    const maps = Array.from({ length: 64 }, (_, index) => known(`map${index}`, "hash"));
    const many = maps.flatMap((map) => [to(map), to(map)]);
    const others = Array.from({ length: 40 }, (_, id) => ({ map: id, offset: null }));
    expect(assignedMaps([...others, ...loaded("0", "0", "0")], many, () => true)).toBeNull();
  });

  it("compares 300,000 references", () => {
    const many = Array.from({ length: 300_000 }, () => to(COUNTS));
    const same = many.map(() => ({ map: 1, offset: null }));
    expect(assignedMaps(same, many, fits)).toEqual(new Map([[1, COUNTS]]));
    expect(assignedMaps([...same, ...loaded("1")], many, fits)).toBeNull();
  });
});
