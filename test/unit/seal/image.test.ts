import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { programPartOf } from "../../../src/bpf/statement.js";
import { imageOf } from "../../../src/seal/image/image.js";
import { HEADER, IMAGE_MAGIC, KEY, MAP, PATCH, PROGRAM } from "../../../src/seal/image/image-layout.js";
import { GUARD_VERSION } from "../../../src/seal/list/list-header.js";
import { own } from "../../support/workplace.js";

const GUARD = readFileSync(own("src/seal/guard/guard.bpf.o"));
const OPTIONS = { mode: 2, guardVersion: GUARD_VERSION, onFailure: "halt" } as const;

describe("the image of the guard that ships", () => {
  const image = Buffer.from(imageOf(GUARD, OPTIONS));
  const range = (at: number) => {
    const offset = image.readUInt32LE(at);
    return image.subarray(offset, offset + image.readUInt32LE(at + 4));
  };
  const text = (bytes: Buffer) => bytes.toString("latin1").replace(/\0.*$/s, "");
  const structs = (bytes: Buffer, size: number) =>
    Array.from({ length: bytes.length / size }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
  const part = programPartOf(GUARD);
  const maps = structs(range(HEADER.ranges.maps), MAP.size);

  it("begins with its magic and its size", () => {
    expect(image.subarray(0, 8)).toEqual(IMAGE_MAGIC);
    expect(image.readUInt32LE(HEADER.fields.size)).toBe(image.length);
  });

  it("has the maps of the object in its order", () => {
    const names = part.object.maps.map(({ name }) => (name.startsWith(".") ? `guard${name}` : name).slice(0, 15));
    expect(maps.map((map) => text(map.subarray(0, 16)))).toEqual(names);
    expect(names[image.readUInt32LE(HEADER.fields.status_map)]).toBe("guard_status");
  });

  it("has the programs of the object in its order, with their instructions before relocation", () => {
    const programs = structs(range(HEADER.ranges.programs), PROGRAM.size);
    expect(programs.map((program) => text(program.subarray(PROGRAM.section, PROGRAM.target)))).toEqual(
      part.programs.map(({ section }) => section),
    );
    for (const [index, program] of programs.entries()) {
      const at = program.readUInt32LE(PROGRAM.ranges.insns);
      const insns = Buffer.from(part.programs[index]!.insns, "base64");
      expect(image.subarray(at, at + insns.length).equals(insns)).toBe(true);
      expect(program.readUInt32LE(PROGRAM.ranges.map_refs + 4) / 12).toBe(part.programs[index]!.map_references.length);
    }
  });

  it("has the loader patch four bytes of a read-only map, which is frozen after it, for each value", () => {
    const patches = structs(range(HEADER.ranges.patches), PATCH.size);
    expect(patches.map((patch) => patch.readUInt32LE(8))).toEqual(Object.values(PATCH.kinds));
    for (const patch of patches) {
      const map = maps[patch.readUInt32LE(0)]!;
      expect(map.readUInt32LE(MAP.fields.frozen)).toBe(1);
      expect(patch.readUInt32LE(4) + 4).toBeLessThanOrEqual(map.readUInt32LE(MAP.fields.value_size));
    }
  });

  it("has the certificates of each keyring", () => {
    const keys = { programs: [Buffer.from("one"), Buffer.from("second")], lists: [Buffer.from("three")] };
    const withKeys = Buffer.from(imageOf(GUARD, { ...OPTIONS, keys }));
    const at = withKeys.readUInt32LE(HEADER.ranges.keys);
    const found = structs(withKeys.subarray(at, at + withKeys.readUInt32LE(HEADER.ranges.keys + 4)), KEY.size);
    const bytes = (key: Buffer) => {
      const offset = key.readUInt32LE(KEY.certificate);
      return withKeys.toString("latin1", offset, offset + key.readUInt32LE(KEY.certificate + 4));
    };
    expect(found.map((key) => [key.readUInt32LE(0), bytes(key)])).toEqual([
      [KEY.rings.programs, "one"],
      [KEY.rings.programs, "second"],
      [KEY.rings.lists, "three"],
    ]);
  });

  it("has as many elements in a map as its contents", () => {
    const filled = Buffer.from(imageOf(GUARD, { ...OPTIONS, contents: { guard_list_a: new Uint8Array(3 * 56) } }));
    const at = filled.readUInt32LE(HEADER.ranges.maps);
    const index = part.object.maps.findIndex(({ name }) => name === "guard_list_a");
    expect(filled.readUInt32LE(at + index * MAP.size + MAP.fields.max_entries)).toBe(3);
  });

  it.each([
    ["a variable", { settings: { missing: 1 } }, "has no variable `missing`"],
    ["a map", { contents: { missing: new Uint8Array(4) } }, "has no map `missing`"],
    ["a whole element", { contents: { guard_list_a: new Uint8Array(55) } }, /values of 56 bytes/],
  ])("cannot be made without %s that the options name", (_, more, message) => {
    expect(() => imageOf(GUARD, { ...OPTIONS, ...more })).toThrow(
      expect.objectContaining({ code: "ELF_UNSUPPORTED", message: expect.stringMatching(message) }),
    );
  });
});
