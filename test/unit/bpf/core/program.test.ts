import { describe, expect, it } from "vitest";
import { BtfWriter } from "../../../../src/bpf/assembly/btf-writer.js";
import { Btf } from "../../../../src/bpf/btf/btf.js";
import { Kernel } from "../../../../src/bpf/core/kernel.js";
import { ProgramRelocator } from "../../../../src/bpf/core/program.js";
import { RELO } from "../../../../src/bpf/core/relo-kind.js";
import { VARIANTS } from "../../../../src/bpf/core/variant.js";
import {
  BAD_RELO,
  type Insn,
  insnsOf,
  LD_IMM64,
  LDX_B,
  LDX_DW,
  LDX_W,
  LDXSX_W,
  MOV,
  MOV32,
  relocatedInsn,
  rowsOf,
  STX_W,
} from "../../../support/core-program.js";

/** The types of a program, and those of a kernel in which everything has another place, size or value. */
function types() {
  const [local, kernel] = [new BtfWriter(), new BtfWriter()];
  kernel.typedef("unrelated", 0);
  const ids = [local, kernel].map((btf, is) => {
    const int = btf.int("int", 4, { encoding: 1 });
    const u32 = btf.int("unsigned int", 4);
    const u64 = btf.int("unsigned long", 8);
    const number = is === 0 ? u32 : u64;
    const pointer = btf.ptr(int);
    const pad = 64 * is;
    const inner = btf.struct("", 16, [
      ["deep", u32, 32 * is],
      ["deeper", btf.array(u32, 2 + is), 64],
    ]);
    const item = btf.struct("item", 64 + 8 * is, [
      ["signed", int, pad],
      ["number", number, 64 + pad],
      ["pointer", pointer, 128 + pad],
      ["", inner, 192 + pad],
      ["bits", u32, 320 + pad + is, 5 + is],
      ["changed", is === 0 ? u32 : pointer, 384 + pad],
      ["narrow", is === 0 ? u32 : btf.int("unsigned char", 1), 448 + pad],
      ...(is === 0 ? [["gone", u32, 480] as const] : []),
    ]);
    const enumeration = btf.enum("state", [
      ["IDLE", 0],
      ...(is === 0 ? [["DEAD___old", 3] as const] : [["BUSY", 1] as const, ["DEAD", 9] as const]),
    ]);
    const wide = is === 0 ? btf.enum("flags", [["TOP", 1]]) : btf.enum64("flags", [["TOP", 0x1_2345_6789n]]);
    return { item, enumeration, wide, alias: btf.typedef("alias___mine", u32) };
  });
  return { btf: new Btf(local.bytes()), kernel: new Kernel(new Btf(kernel.bytes())), ids: ids[0]!, its: ids[1]! };
}

const { btf, kernel, ids, its } = types();
const of = (access: string, kind: number = RELO.FIELD_BYTE_OFFSET, typeId = ids.item) => ({ typeId, access, kind });
const at = (insn: Insn | readonly [Insn, Insn], relocation: ReturnType<typeof of>) =>
  relocatedInsn(btf, kernel, insn, relocation);

describe("a field's offset", () => {
  it("is that of the kernel's field", () => {
    expect(at([LDX_W, 1, 2, 0], of("0:0"))).toEqual([[LDX_W, 1, 2, 8, 0]]);
    expect(at([LDXSX_W, 1, 2, 0], of("0:0"))).toEqual([[LDXSX_W, 1, 2, 8, 0]]);
    expect(at([STX_W, 1, 2, 0, 5], of("0:0"))).toEqual([[STX_W, 1, 2, 8, 5]]);
    expect(at([MOV, 1, 0, 0, 16], of("0:2"))).toEqual([[MOV, 1, 0, 0, 24]]);
  });

  it("goes with the size of an unsigned integer", () => {
    expect(at([LDX_W, 1, 2, 8], of("0:1"))).toEqual([[LDX_DW, 1, 2, 16, 0]]);
    expect(at([LDX_W, 1, 2, 56], of("0:6"))).toEqual([[LDX_B, 1, 2, 64, 0]]);
  });

  it("is found in anonymous members, and in arrays of other lengths", () => {
    expect(at([LDX_W, 1, 2, 24], of("0:3:0"))).toEqual([[LDX_W, 1, 2, 36, 0]]);
    expect(at([LDX_W, 1, 2, 36], of("0:3:1:1"))).toEqual([[LDX_W, 1, 2, 44, 0]]);
  });

  it("counts elements of the pointer itself", () => {
    expect(at([MOV, 1, 0, 0, 128 + 16], of("2:2"))).toEqual([[MOV, 1, 0, 0, 2 * 72 + 24]]);
  });

  it("is not checked for a bit field", () => {
    expect(at([MOV, 1, 0, 0, 99], of("0:4"))).toEqual([[MOV, 1, 0, 0, 48]]);
  });
});

describe("a field that the kernel does not have", () => {
  it("makes the instruction an invalid call", () => {
    expect(at([LDX_W, 1, 2, 60], of("0:7"))).toEqual([BAD_RELO]);
    expect(at([[LD_IMM64, 1, 0, 0, 60], [0]], of("0:7"))).toEqual([BAD_RELO, BAD_RELO]);
  });

  it("or has as another type, too", () => {
    expect(at([LDX_W, 1, 2, 48], of("0:5"))).toEqual([BAD_RELO]);
  });

  it("does not exist", () => {
    expect(at([MOV, 1, 0, 0, 1], of("0:7", RELO.FIELD_EXISTS))).toEqual([[MOV, 1, 0, 0, 0]]);
    expect(at([MOV32, 1, 0, 0, 1], of("0:3:0", RELO.FIELD_EXISTS))).toEqual([[MOV32, 1, 0, 0, 1]]);
  });
});

describe("what is known of a field", () => {
  it.each([
    ["size", RELO.FIELD_BYTE_SIZE, "0:1", 4, 8],
    ["size of an array", RELO.FIELD_BYTE_SIZE, "0:3:1", 8, 12],
    ["size of an element", RELO.FIELD_BYTE_SIZE, "0:3:1:0", 4, 4],
    ["sign", RELO.FIELD_SIGNED, "0:0", 1, 1],
    ["sign", RELO.FIELD_SIGNED, "0:1", 0, 0],
    ["left shift of a bit field", RELO.FIELD_LSHIFT_U64, "0:4", 59, 64 - 7],
    ["right shift of a bit field", RELO.FIELD_RSHIFT_U64, "0:4", 59, 58],
    ["left shift", RELO.FIELD_LSHIFT_U64, "0:0", 32, 32],
    ["right shift", RELO.FIELD_RSHIFT_U64, "0:1", 32, 0],
  ])("as its %s is the kernel's", (_, kind, access, from, to) => {
    expect(at([MOV, 1, 0, 0, from], of(access, kind))).toEqual([[MOV, 1, 0, 0, to]]);
  });
});

describe("what is known of a type", () => {
  it.each([
    ["its id in the program", RELO.TYPE_ID_LOCAL, ids.item, 7, ids.item],
    ["its id in the kernel", RELO.TYPE_ID_TARGET, ids.item, 7, its.item],
    ["its existence", RELO.TYPE_EXISTS, ids.item, 1, 1],
    ["its size", RELO.TYPE_SIZE, ids.item, 64, 72],
    ["the match of a struct that lacks a member", RELO.TYPE_MATCHES, ids.item, 1, 0],
    ["the match of an enum by names of values", RELO.TYPE_MATCHES, ids.enumeration, 1, 1],
    ["the existence of a typedef by its essential name", RELO.TYPE_EXISTS, ids.alias, 1, 1],
  ])("as %s is the kernel's", (_, kind, typeId, from, to) => {
    expect(at([MOV, 1, 0, 0, from], of("0", kind, typeId))).toEqual([[MOV, 1, 0, 0, to]]);
  });
});

describe("an enumerator", () => {
  it("has the kernel's value", () => {
    expect(at([MOV, 1, 0, 0, 3], of("1", RELO.ENUMVAL_VALUE, ids.enumeration))).toEqual([[MOV, 1, 0, 0, 9]]);
    expect(at([MOV, 1, 0, 0, 1], of("1", RELO.ENUMVAL_EXISTS, ids.enumeration))).toEqual([[MOV, 1, 0, 0, 1]]);
  });

  it("may have 64 bits", () => {
    expect(at([[LD_IMM64, 1, 0, 0, 1], [0]], of("0", RELO.ENUMVAL_VALUE, ids.wide))).toEqual([
      [LD_IMM64, 1, 0, 0, 0x2345_6789],
      [0, 0, 0, 0, 1],
    ]);
  });
});

describe("a relocation that does not fit its instruction", () => {
  it.each([
    ["another offset", [LDX_W, 1, 2, 4], of("0:0")],
    ["another immediate", [MOV, 1, 0, 0, 4], of("0:2")],
    ["a register as operand", [MOV | 8, 1, 2], of("0:0")],
    ["a load of another size", [LDX_B, 1, 2, 8], of("0:1")],
    ["a jump", [0x05, 0, 0, 0], of("0:0")],
    ["a wide load in the last slot", [LD_IMM64, 1, 0, 0, 0], of("0:0")],
    ["no such member", [LDX_W, 1, 2, 0], of("0:99")],
    ["no list of indexes", [LDX_W, 1, 2, 0], of("0:-1")],
    ["no access", [LDX_W, 1, 2, 0], of("")],
    ["an array's end", [LDX_W, 1, 2, 40], of("0:3:1:2")],
    ["a field of a number", [LDX_W, 1, 2, 0], of("0:0:0")],
    ["an access of a type", [MOV, 1, 0, 0, 1], of("0:0", RELO.TYPE_EXISTS)],
    ["a sign of an element", [MOV, 1, 0, 0, 0], of("0:3:1:0", RELO.FIELD_SIGNED)],
  ] as [string, Insn, ReturnType<typeof of>][])("with %s is malformed", (_, insn, relocation) => {
    expect(() => at(insn, relocation)).toThrow(expect.objectContaining({ code: "CORE_MALFORMED" }));
  });

  it("of a kind from the future is not supported", () => {
    expect(() => at([MOV, 1, 0, 0, 1], of("0", 13))).toThrow(expect.objectContaining({ code: "CORE_UNSUPPORTED" }));
  });

  it("names the program, the instruction, and the field", () => {
    expect(() => at([LDX_W, 1, 2, 4], of("0:0"))).toThrow(
      expect.objectContaining({ place: "program probe: instruction 0: struct item.signed" }),
    );
  });
});

const EXIT = 0x95;

describe("the instructions before relocation", () => {
  it.each(VARIANTS)("are not changed, so that other loaders' relocations can follow: %s", (variant) => {
    const insns = Buffer.from(insnsOf([[LDX_W, 1, 2, 0], [EXIT]]));
    const before = Buffer.from(insns);
    const relocations = [{ slot: 0, ...of("0:0") }];
    const functions = [{ name: "probe", start: 0 }];
    const relocator = new ProgramRelocator({ order: "little", btf, externs: [] }, kernel, variant);
    const relocated = relocator.relocate({ name: "probe", insns, functions, relocations, externReferences: [] });
    expect(rowsOf(relocated.insns)[0]).toEqual([LDX_W, 1, 2, 8, 0]);
    expect(insns.equals(before)).toBe(true);
  });
});
