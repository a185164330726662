import { describe, expect, it } from "vitest";
import { mapOf } from "../../../../src/bpf/assembly/assembly.js";
import { elfOf, symbolOf } from "../../../../src/bpf/assembly/elf-writer.js";
import { Elf } from "../../../../src/bpf/elf/elf.js";
import type { CodeMap } from "../../../../src/bpf/model/code.js";
import { type DefinedMap, withContents } from "../../../../src/bpf/object/map-contents.js";

const NAMES = "\0filter\0send\0other\0";
const FUNC = 0x12;
const OBJECT = 0x11;
const [TEXT, MAPS] = [1, 2];
/** Symbols by their index in the table. */
const [FILTER, SEND, RING, PINNED] = [1, 2, 3, 4];
const RING_AT = 0;
const PINNED_AT = 32;
const ARRAY_AT = 64;
const OUTER_AT = 128;

/**
 * What the relocations, each an offset in `.maps` and a symbol, make of a ring buffer, a pinned one, a program array
 * and an array of maps.
 */
function contents(
  relocations: readonly (readonly [offset: number, symbol: number])[],
  more: Partial<CodeMap> = {},
  type = 9,
) {
  const table = Buffer.alloc(relocations.length * 16);
  for (const [index, [offset, symbol]] of relocations.entries()) {
    table.writeBigUInt64LE(BigInt(offset), index * 16);
    table.writeUInt32LE(2, index * 16 + 8);
    table.writeUInt32LE(symbol, index * 16 + 12);
  }
  const symbols = Buffer.concat([
    Buffer.alloc(24),
    symbolOf(NAMES.indexOf("filter"), FUNC, TEXT, 0, 8),
    symbolOf(NAMES.indexOf("send"), FUNC, TEXT, 8, 8),
    symbolOf(NAMES.indexOf("other"), OBJECT, MAPS, RING_AT, 32),
    symbolOf(NAMES.indexOf("other"), OBJECT, MAPS, PINNED_AT, 32),
  ]);
  const elf = new Elf(
    elfOf(
      { name: "kprobe/x", type: 1, flags: 4, data: Buffer.alloc(16) },
      { name: ".maps", type: 1, data: Buffer.alloc(256) },
      { name: ".symtab", type: 2, link: 4, data: symbols },
      { name: ".strtab", type: 3, data: Buffer.from(NAMES, "latin1") },
      { name: ".rel.maps", type, link: 3, info: MAPS, data: table },
    ),
  );
  const ring = (name: string, own: boolean) => mapOf(name, { type: "ringbuf", own });
  const defined = new Map<number, DefinedMap>([
    [RING_AT, { map: ring("ring", true), values: null }],
    [PINNED_AT, { map: ring("pinned", false), values: null }],
    [ARRAY_AT, { map: mapOf("calls", { type: "prog_array", max_entries: 4, ...more }), values: 32 }],
    [
      OUTER_AT,
      { map: mapOf("outer", { type: "array_of_maps", inner: ring("inner", false), ownInner: true }), values: 24 },
    ],
  ]);
  const found = withContents(elf, elf.sections[MAPS]!, defined);
  const { programs } = found.get(ARRAY_AT)!;
  return { programs: programs === undefined ? null : [...programs], ownInner: found.get(OUTER_AT)!.ownInner };
}

describe("what an object puts into its maps", () => {
  it("are programs by their index in a program array, from where its values begin", () => {
    const found = contents([
      [ARRAY_AT + 32, FILTER],
      [ARRAY_AT + 32 + 16, SEND],
    ]);
    expect(found).toEqual({
      programs: [
        [0, "filter"],
        [2, "send"],
      ],
      ownInner: true,
    });
  });

  it("are no programs of an array that is pinned, or of another type", () => {
    expect(contents([[ARRAY_AT + 32, FILTER]], { own: false }).programs).toBeNull();
    expect(contents([[ARRAY_AT + 32, FILTER]], { type: "hash" }).programs).toBeNull();
  });

  it("are no programs before the values, or between two of them", () => {
    expect(contents([[ARRAY_AT + 24, FILTER]]).programs).toBeNull();
    expect(contents([[ARRAY_AT + 36, FILTER]]).programs).toBeNull();
  });

  it("are maps of its own in a map of maps", () => {
    expect(contents([[OUTER_AT + 24, RING]]).ownInner).toBe(true);
    expect(contents([]).ownInner).toBe(true);
  });

  it.each([
    ["one that is pinned", PINNED],
    ["a program", FILTER],
  ])("may be %s among the maps of a map of maps, which then are not its own", (_, symbol) => {
    const { ownInner } = contents([
      [OUTER_AT + 24, RING],
      [OUTER_AT + 32, symbol],
    ]);
    expect(ownInner).toBe(false);
  });

  it("are unknown where relocations have addends", () => {
    expect(contents([[OUTER_AT + 24, RING]], {}, 4)).toEqual({ programs: null, ownInner: false });
  });
});
