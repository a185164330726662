import { describe, expect, it } from "vitest";
import { decodeInsns, firstCallOrWide, firstWide } from "../../../../src/bpf/insn/insn.js";

const decoded = (...hex: string[]) => decodeInsns(Buffer.from(hex.join(""), "hex"));
const MOVE = "b700000000000000";
const CALL = "8500000005000000";
const WIDE = "1801000000000000";
const SECOND = "0000000000000000";

describe("decoded instructions", () => {
  const bytes = Buffer.from("7b1af8ff02000080", "hex");

  it.each(["little", "big"] as const)("have signed offsets and immediates: %s", (order) => {
    const insn = order === "little" ? bytes : Buffer.from("7ba1fff880000002", "hex");
    const { opcode, dst, src, off, imm } = decodeInsns(insn, order);
    expect([opcode[0], dst[0], src[0], off[0], imm[0]]).toEqual([0x7b, 10, 1, -8, -0x7ffffffe]);
  });

  it("are read at any offset of a buffer", () => {
    for (let at = 0; at < 8; at++) {
      const within = Buffer.alloc(24);
      within.set(bytes, at);
      const { dst, imm, count } = decodeInsns(within.subarray(at, at + 8));
      expect([count, dst[0], imm[0]]).toEqual([1, 10, -0x7ffffffe]);
    }
  });

  it("are written into given memory", () => {
    const memory = new Int32Array(100).subarray(7);
    const { opcode, imm } = decodeInsns(bytes, "little", () => memory);
    expect([opcode.buffer, imm.byteOffset, memory[0]]).toEqual([memory.buffer, 28, -0x7ffffffe]);
  });
});

describe("a search", () => {
  it.each([
    ["neither", [MOVE, MOVE], 2, 2],
    ["a call", [MOVE, CALL], 2, 1],
    ["an ld_imm64", [MOVE, WIDE, SECOND], 1, 1],
    ["a call before an ld_imm64", [CALL, WIDE, SECOND], 1, 0],
    ["an ld_imm64 before a call", [WIDE, SECOND, CALL], 0, 0],
    ["what looks like a call in an ld_imm64", [MOVE, WIDE, CALL], 1, 1],
  ])("of a program with %s begins at the first", (_, program, wide, callOrWide) => {
    const insns = decoded(...program);
    expect([firstWide(insns), firstCallOrWide(insns)]).toEqual([wide, callOrWide]);
  });
});
