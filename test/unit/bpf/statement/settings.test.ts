import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import type { StatedMap, StatedObject } from "../../../../src/bpf/statement/content.js";
import { declaredSettings } from "../../../../src/bpf/statement/settings.js";
import { programPartOf, settingsOf, statementOf } from "../../../../src/bpf/statement.js";
import { example } from "../../../support/examples.js";

const MAP: StatedMap = {
  name: "m",
  kind: "definition",
  type: 1,
  key_size: 4,
  value_size: 8,
  max_entries: 16,
  map_flags: 0,
  numa_node: 0,
  map_extra: "0",
  pinning: 0,
  key_type_id: 0,
  value_type_id: 0,
  autocreate: true,
  inner: null,
  data: null,
};

interface Variable {
  readonly name: string;
  readonly type: (btf: BtfWriter) => number;
  readonly offset?: number;
}

/** The settings of an object with these variables in a section of 64 bytes, in which each byte is its offset. */
function settingsWith(variables: readonly Variable[], name = ".rodata", order: "little" | "big" = "little") {
  const btf = new BtfWriter(order);
  const ids = variables.map((variable) => btf.var(variable.name, variable.type(btf)));
  btf.datasec(
    name,
    64,
    ids.map((id) => [id, 0, 0]),
  );
  const data = Buffer.from(Array.from({ length: 64 }, (_, at) => at));
  const kind = name.startsWith(".rodata") ? "rodata" : "data";
  const object: StatedObject = {
    sha256: "00".repeat(32),
    byte_order: order,
    license: "GPL",
    btf: btf.bytes().toString("base64"),
    sections: [
      { name, size: 64, variables: variables.map((v) => ({ name: v.name, offset: v.offset ?? 0, hidden: false })) },
    ],
    hidden_functions: [],
    externs: [],
    maps: [{ ...MAP, name, kind, value_size: 64, data: kind === "rodata" ? data.toString("base64") : null }],
  };
  return declaredSettings(object).map(({ name, type, offset, size, declared }) => ({
    name,
    type,
    offset,
    size,
    declared,
  }));
}

const int = (btf: BtfWriter, size = 4, encoding = 1) =>
  btf.int(size === 4 ? "int" : `i${8 * size}`, size, { encoding });
const modified = (btf: BtfWriter, to: number, ...kinds: readonly ("const" | "volatile" | "restrict")[]) =>
  kinds.reduce((type, kind) => btf.type("", kind, type), to);

describe("a variable of .rodata is a setting", () => {
  const isSetting = (type: Variable["type"], name?: string) => settingsWith([{ name: "v", type }], name).length === 1;

  it.each<[what: string, type: Variable["type"]]>([
    ["const volatile", (btf) => modified(btf, int(btf), "volatile", "const")],
    ["volatile const", (btf) => modified(btf, int(btf), "const", "volatile")],
    ["behind a typedef", (btf) => btf.typedef("t", modified(btf, int(btf), "volatile", "const"))],
    [
      "const, of a volatile typedef",
      (btf) => modified(btf, btf.typedef("t", modified(btf, int(btf), "volatile")), "const"),
    ],
    ["an array of such elements", (btf) => btf.array(modified(btf, int(btf), "volatile", "const"), 4)],
    [
      "an array of arrays of such elements",
      (btf) => btf.array(btf.array(modified(btf, int(btf), "volatile", "const"), 2), 2),
    ],
    [
      "a const typedef of an array of volatile",
      (btf) => modified(btf, btf.typedef("t", btf.array(modified(btf, int(btf), "volatile"), 4)), "const"),
    ],
    ["a struct", (btf) => modified(btf, btf.struct("s", 8, []), "volatile", "const")],
    ["a pointer that is const volatile itself", (btf) => modified(btf, btf.ptr(int(btf)), "volatile", "const")],
  ])("if it is %s", (_, type) => {
    expect(isSetting(type)).toBe(true);
    expect(isSetting(type, ".rodata.cfg")).toBe(true);
    expect(isSetting(type, ".data")).toBe(false);
  });

  it.each<[what: string, type: Variable["type"]]>([
    ["const", (btf) => modified(btf, int(btf), "const")],
    ["volatile", (btf) => modified(btf, int(btf), "volatile")],
    ["neither", (btf) => int(btf)],
    [
      "a const pointer to what is const volatile",
      (btf) => modified(btf, btf.ptr(modified(btf, int(btf), "volatile", "const")), "const"),
    ],
    [
      "a const struct with such a member",
      (btf) => modified(btf, btf.struct("s", 4, [["m", modified(btf, int(btf), "volatile", "const"), 0]]), "const"),
    ],
    ["a forward declaration", (btf) => modified(btf, btf.type("s", "fwd", 0), "volatile", "const")],
  ])("not if it is %s", (_, type) => {
    expect(isSetting(type)).toBe(false);
  });

  it("not if it reaches beyond the section, or shares its name", () => {
    const type: Variable["type"] = (btf) => modified(btf, int(btf), "volatile", "const");
    expect(settingsWith([{ name: "v", type, offset: 61 }])).toEqual([]);
    expect(settingsWith([{ name: "v", type, offset: 60 }])).toHaveLength(1);
    expect(
      settingsWith([
        { name: "v", type },
        { name: "v", type, offset: 8 },
      ]),
    ).toEqual([]);
  });
});

describe("the value of a variable", () => {
  const constant =
    (of: Variable["type"]): Variable["type"] =>
    (btf) =>
      modified(btf, of(btf), "volatile", "const");
  const settingOf = (type: Variable["type"], order?: "little" | "big") =>
    settingsWith([{ name: "v", type: constant(type), offset: 8 }], ".rodata", order)[0];

  it.each<[what: string, type: Variable["type"], expected: Readonly<Record<string, unknown>>]>([
    ["an int", (btf) => btf.int("int", 4, { encoding: 1 }), { type: "int", size: 4, declared: 0x0b0a0908 }],
    ["a bool", (btf) => btf.int("_Bool", 1, { encoding: 4 }), { type: "_Bool", size: 1, declared: 8 }],
    ["a short", (btf) => btf.int("short", 2), { type: "short", size: 2, declared: 0x0908 }],
    ["a typedef", (btf) => btf.typedef("pid_t", int(btf)), { type: "pid_t", size: 4 }],
    [
      "64 bits",
      (btf) => btf.int("unsigned long", 8),
      { type: "unsigned long", size: 8, declared: String(0x0f0e0d0c0b0a0908n) },
    ],
    ["an enum", (btf) => btf.enum("mode", [["A", 0]]), { type: "enum mode", size: 4, declared: 0x0b0a0908 }],
    [
      "an enum of 64 bits",
      (btf) => btf.enum64("wide", [["A", 0n]]),
      { type: "enum wide", size: 8, declared: String(0x0f0e0d0c0b0a0908n) },
    ],
    ["an array", (btf) => btf.array(btf.int("char", 1), 3), { type: "char[3]", size: 3, declared: "08090a" }],
    [
      "an array of arrays",
      (btf) => btf.array(btf.array(btf.int("char", 1), 1), 2),
      { type: "char[2][1]", size: 2, declared: "0809" },
    ],
    ["a struct", (btf) => btf.struct("filter", 2, []), { type: "struct filter", size: 2, declared: "0809" }],
    ["a union without a name", (btf) => btf.union("", 2, []), { type: "union (anonymous)", declared: "0809" }],
    [
      "an int of 128 bits",
      (btf) => btf.int("__int128", 16),
      { size: 16, declared: "08090a0b0c0d0e0f1011121314151617" },
    ],
    ["a float", (btf) => btf.type("float", "float", 4), { type: "float", declared: "08090a0b" }],
    ["a pointer", (btf) => btf.ptr(int(btf)), { type: "int *", size: 8, declared: "08090a0b0c0d0e0f" }],
  ])("of %s", (_, type, expected) => {
    expect(settingOf(type)).toMatchObject({ offset: 8, ...expected });
  });

  it("is signed or not, and in the object's byte order", () => {
    const at = (size: number, encoding: number, order: "little" | "big") =>
      settingsWith(
        [{ name: "v", type: constant((btf) => btf.int("i", size, { encoding })), offset: 0 }],
        ".rodata",
        order,
      )[0]!.declared;
    expect(at(4, 1, "little")).toBe(0x03020100);
    expect(at(4, 1, "big")).toBe(0x00010203);
    expect(at(8, 0, "big")).toBe(String(0x0001020304050607n));
  });
});

describe("a setting of a map", () => {
  const settings = (map: Partial<StatedMap>) =>
    declaredSettings({ ...object, maps: [{ ...MAP, ...map }] }).map(({ name, declared }) => [name, declared]);
  const { object } = programPartOf(example("xdp-steer"));

  it("is each size that the object leaves at 0, and whether it is created", () => {
    expect(settings({})).toEqual([["m.autocreate", 1]]);
    expect(settings({ max_entries: 0, value_size: 0, key_size: 0 })).toEqual([
      ["m.max_entries", 0],
      ["m.value_size", 0],
      ["m.key_size", 0],
      ["m.autocreate", 1],
    ]);
    expect(settings({ kind: "struct_ops", max_entries: 0, autocreate: false })).toEqual([["m.autocreate", 0]]);
  });

  it("is nothing of global data", () => {
    for (const kind of ["data", "bss", "kconfig"] as const) expect(settings({ kind, max_entries: 0 })).toEqual([]);
  });
});

describe("the settings of a statement", () => {
  it("have the values that the signer fixed, and none where any value is allowed", () => {
    const { content } = statementOf(example("rate-limit"), null, { fix: ["burst=7"] }).statement;
    expect(settingsOf(content).map(({ name, declared, fixed }) => [name, declared, fixed])).toEqual([
      ["buckets.autocreate", 1, null],
      ["burst", "64", "7"],
      ["nanoseconds_per_token", "1000000", null],
    ]);
  });
});
