import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { ciliumMembersAreCompatible, ciliumTypesAreCompatible } from "../../../../src/bpf/core/cilium-compatible.js";
import { fieldsAreCompatible, typesAreCompatible } from "../../../../src/bpf/core/compatible.js";
import { Steps } from "../../../../src/bpf/core/steps.js";

type Write = (btf: BtfWriter) => number;

const int: Write = (btf) => btf.int("int", 4, { encoding: 1 });
const u64: Write = (btf) => btf.int("unsigned long", 8);
const oldBitField: Write = (btf) => btf.int("unsigned int", 4, { bit: 3 });
const struct: Write = (btf) => btf.struct("s", 8, [["a", int(btf), 0]]);
const union: Write = (btf) => btf.union("u", 8, []);
const state: Write = (btf) => btf.enum("state___old", [["A", 1]]);
const wideState: Write = (btf) => btf.enum64("state", [["A", 1n]]);
const otherState: Write = (btf) => btf.enum("other", [["A", 1]]);
const anonymous: Write = (btf) => btf.enum("", [["A", 1]]);
const float: Write = (btf) => btf.type("float", "float", 4);
const pointer =
  (to: Write): Write =>
  (btf) =>
    btf.ptr(to(btf));
const array =
  (of: Write, count: number): Write =>
  (btf) =>
    btf.array(of(btf), count, int(btf));
const named =
  (of: Write): Write =>
  (btf) =>
    btf.type("", "const", btf.typedef("t", btf.type("", "volatile", of(btf))));
const func =
  (...parameters: readonly Write[]): Write =>
  (btf) =>
    btf.proto(
      int(btf),
      parameters.map((write, index) => [`p${index}`, write(btf)] as const),
    );

const btfOf = (write: Write) => {
  const writer = new BtfWriter();
  const id = write(writer);
  return { btf: new Btf(writer.bytes()), id };
};

/** Local and kernel's type; whether a field of it is compatible, and whether the type is. */
const PAIRS: readonly (readonly [name: string, local: Write, kernel: Write, field: boolean, type: boolean])[] = [
  ["integers of two sizes", int, u64, true, true],
  ["an integer and a deprecated bit field", int, oldBitField, false, false],
  ["an integer behind modifiers", named(int), u64, true, false],
  ["an integer and a pointer", int, pointer(int), false, false],
  ["pointers to different types", pointer(int), pointer(struct), true, false],
  ["pointers to structs", pointer(struct), pointer(struct), true, true],
  ["a struct and a union", struct, union, true, false],
  ["enums of two sizes", state, wideState, true, true],
  ["enums of two names", state, otherState, false, true],
  ["a named and an anonymous enum", state, anonymous, true, true],
  ["arrays of two lengths", array(int, 2), array(u64, 9), true, true],
  ["arrays of different types", array(int, 2), array(pointer(int), 2), false, false],
  ["functions of different parameters", func(int), func(struct), false, false],
  ["functions of different numbers of parameters", func(int), func(int, int), false, false],
  ["functions of the same types", func(int, pointer(struct)), func(u64, pointer(struct)), false, true],
  ["nothing", () => 0, () => 0, false, true],
];

describe("of libbpf", () => {
  it.each(PAIRS)("%s are compatible or not, as fields and as types", (_, local, kernel, field, type) => {
    const [ours, its] = [btfOf(local), btfOf(kernel)];
    expect(fieldsAreCompatible(ours.btf, ours.id, its.btf, its.id)).toBe(field);
    expect(typesAreCompatible(ours.btf, ours.id, its.btf, its.id, new Steps().begin())).toBe(type);
  });

  it("floats are compatible as fields only", () => {
    const { btf, id } = btfOf(float);
    expect(fieldsAreCompatible(btf, id, btf, id)).toBe(true);
    expect(typesAreCompatible(btf, id, btf, id, new Steps().begin())).toBe(false);
  });

  it("a typedef and its type are not compatible at the top, where names were compared", () => {
    const { btf, id } = btfOf((to) => to.typedef("t", int(to)));
    expect(typesAreCompatible(btf, id, btf, btf.target(id), new Steps().begin())).toBe(false);
  });
});

describe("of cilium/ebpf", () => {
  /**
   * What it compares otherwise: bit fields are integers, modifiers are ignored at the top, and the elements of arrays
   * are compared step by step.
   */
  const OTHERWISE: Readonly<Record<string, readonly [field: boolean, type: boolean]>> = {
    "an integer and a deprecated bit field": [true, true],
    "an integer behind modifiers": [true, true],
    "arrays of different types": [true, false],
  };

  it.each(PAIRS.filter(([name]) => !/^(functions|nothing)/.test(name)))(
    "%s are compatible or not, as fields and as types",
    (name, local, kernel, field, type) => {
      const [ours, its] = [btfOf(local), btfOf(kernel)];
      const expected = OTHERWISE[name] ?? [field, type];
      expect([ciliumMembersAreCompatible(ours, its), ciliumTypesAreCompatible(ours, its, new Steps().begin())]).toEqual(
        expected,
      );
    },
  );

  it("floats are no types to compare, and functions no fields", () => {
    const unsupported = expect.objectContaining({ code: "CORE_UNSUPPORTED" });
    expect(() => ciliumTypesAreCompatible(btfOf(float), btfOf(float), new Steps().begin())).toThrow(unsupported);
    expect(() => ciliumMembersAreCompatible(btfOf(func()), btfOf(func()))).toThrow(unsupported);
    expect(ciliumTypesAreCompatible(btfOf(func(int)), btfOf(func(u64)), new Steps().begin())).toBe(true);
    expect(ciliumTypesAreCompatible(btfOf(func(int)), btfOf(func(int, int)), new Steps().begin())).toBe(false);
  });
});
