import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { structureIn, typeStructure } from "../../../../src/bpf/recognition/type-structure.js";

type Write = (btf: BtfWriter) => number;

/** `before`: the number of other types before it, so that all ids differ. */
function structureOf(write: Write, before = 0): string | null {
  const btf = new BtfWriter();
  for (let index = 0; index < before; index++) btf.struct(`other_${index}`, 4, []);
  const id = write(btf);
  return typeStructure(new Btf(btf.bytes()), [id]);
}

const int = (btf: BtfWriter) => btf.int("int", 4, { encoding: 1 });

/** `struct value { int count; struct value *next; struct bpf_spin_lock lock; }` with a decl tag on the first member. */
function value(btf: BtfWriter, more: Partial<Record<"name" | "lock" | "tag" | "pointee", string>> = {}): number {
  const { name = "value", lock = "bpf_spin_lock", tag = "contains:item:node", pointee = "kptr" } = more;
  const word = int(btf);
  const locked = btf.struct(lock, 4, [["val", word, 0]]);
  btf.struct("item", 16, [["node", word, 0]]);
  const self = locked + 4;
  const tagged = btf.type(pointee, "type_tag", self);
  const next = btf.ptr(tagged);
  const id = btf.struct(name, 24, [
    ["count", word, 0],
    ["next", next, 64],
    ["lock", locked, 128],
  ]);
  expect(id).toBe(self);
  btf.type(tag, "decl_tag", id, [0]);
  return id;
}

describe("the structure of a type", () => {
  it("does not depend on ids and on other types", () => {
    expect(structureOf((btf) => value(btf), 5)).toBe(structureOf((btf) => value(btf)));
  });

  it.each<[what: string, other: Write]>([
    ["its name", (btf) => value(btf, { name: "other" })],
    ["the name of what it consists of", (btf) => value(btf, { lock: "bpf_spin_lack" })],
    ["a decl tag", (btf) => value(btf, { tag: "contains:item:other" })],
    ["a type tag", (btf) => value(btf, { pointee: "percpu" })],
    ["a typedef", (btf) => btf.typedef("value", value(btf))],
  ])("depends on %s", (_, other) => {
    expect(structureOf(other)).not.toBe(structureOf((btf) => value(btf)));
  });

  it("depends on each property of each kind", () => {
    const kinds: readonly Write[] = [
      int,
      (btf) => btf.int("int", 4),
      (btf) => btf.int("int", 8, { encoding: 1 }),
      (btf) => btf.array(int(btf), 3),
      (btf) => btf.array(int(btf), 4),
      (btf) => btf.enum("e", [["A", 0]]),
      (btf) => btf.enum("e", [["A", 1]]),
      (btf) => btf.enum("e", [["B", 0]]),
      (btf) => btf.enum("e", [["A", 0]], 8),
      (btf) => btf.enum("e", [["A", 0]], 4, true),
      (btf) => btf.struct("s", 8, [["a", int(btf), 0]]),
      (btf) => btf.struct("s", 8, [["a", int(btf), 32]]),
      (btf) => btf.struct("s", 8, [["b", int(btf), 0]]),
      (btf) => btf.union("s", 8, [["a", int(btf), 0]]),
      (btf) => btf.ptr(int(btf)),
      (btf) => btf.ptr(0),
      (btf) => btf.type("", "const", int(btf)),
      (btf) => btf.type("", "volatile", int(btf)),
      (btf) => btf.ptr(btf.proto(0, [["a", int(btf)]])),
      (btf) => btf.ptr(btf.proto(0, [])),
    ];
    expect(new Set(kinds.map((write) => structureOf(write))).size).toBe(kinds.length);
  });

  it("includes the structs that a list holds, which only a tag names", () => {
    const holding = (size: number) => (btf: BtfWriter) => {
      btf.struct("item", size, []);
      const id = btf.struct("list", 8, []);
      btf.type("contains:item:node", "decl_tag", id, [0]);
      return id;
    };
    expect(structureOf(holding(8))).toBe(structureOf(holding(8), 3));
    expect(structureOf(holding(8))).not.toBe(structureOf(holding(16)));
  });

  it("is not computed of too many types, nor of bytes that are no BTF", { tags: ["deep"] }, () => {
    const btf = new BtfWriter();
    let id = int(btf);
    for (let index = 0; index < 20_001; index++) id = btf.ptr(id);
    expect(structureIn(btf.bytes(), [id])).toBeNull();
    expect(structureIn(btf.bytes(), [2])).not.toBeNull();
    expect(structureIn(btf.bytes(), [99_999])).toBeNull();
    expect(structureIn(Buffer.alloc(8), [0])).toBeNull();
    expect(structureIn(Buffer.alloc((1 << 20) + 1), [0])).toBeNull();
  });
});
