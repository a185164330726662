import { describe, expect, it } from "vitest";
import { codeOf, encode } from "../../../../src/bpf/assembly/assembly.js";
import { disassemble } from "../../../../src/bpf/insn/disassembly.js";
import { decodeInsns } from "../../../../src/bpf/insn/insn.js";

/** What the assembler of the tests makes of a line, written again. */
const again = (line: string) => disassemble(codeOf(line, { type: "xdp" }).insns, 0);
const bytes = (...hex: string[]) => disassemble(decodeInsns(Buffer.from(hex.join(""), "hex")), 0);

describe("disassembly writes, as llvm-objdump does,", () => {
  it.each([
    "r1 = 0x1",
    "w1 = -0x5",
    "r1 = r2",
    "w1 = w2",
    "r1 = (s8)r2",
    "w1 = (s16)w2",
    "r1 = (s32)r2",
    "r1 += 0x5",
    "r1 -= r2",
    "w1 *= w2",
    "r1 s/= 0x3",
    "w1 s%= w3",
    "r1 s>>= 0x20",
    "r1 ^= r4",
    "r1 = -r1",
    "w1 = -w1",
    "r1 = 0x1122334455667788 ll",
    "r1 = -0x1 ll",
    "r1 = *(u8 *)(r2 + 0x0)",
    "r1 = *(u16 *)(r2 - 0x4)",
    "r1 = *(s32 *)(r2 + 0x10)",
    "*(u64 *)(r10 - 0x8) = r2",
    "*(u32 *)(r10 - 0x8) = -0x5",
    "lock *(u64 *)(r1 - 0x8) ^= r2",
    "r2 = atomic_fetch_add((u64 *)(r1 + 0x0), r2)",
    "r2 = xchg_64(r1 + 0x0, r2)",
    "r0 = *(u8 *)skb[0xe]",
    "call 0xc",
    "exit",
  ])("%s", (line) => {
    expect(again(line)).toBe(line);
  });

  it("jumps with their distance", () => {
    const { insns } = codeOf("if r1 s> -5 goto on; if w1 != w2 goto on; on: goto on; gotol on; may_goto on; exit", {
      type: "xdp",
    });
    expect([0, 1, 2, 3, 4].map((slot) => disassemble(insns, slot))).toEqual([
      "if r1 s> -0x5 goto +0x1",
      "if w1 != w2 goto +0x0",
      "goto -0x1",
      "gotol -0x2",
      "may_goto -0x3",
    ]);
  });

  it("what has no text in the tests' assembler", () => {
    expect(bytes("dc01000010000000")).toBe("r1 = be16 r1");
    expect(bytes("d401000040000000")).toBe("r1 = le64 r1");
    expect(bytes("d701000040000000")).toBe("r1 = bswap64 r1");
    expect(bytes("4830000000000000")).toBe("r0 = *(u16 *)skb[r3]");
    expect(bytes("db210000f1000000")).toBe("r0 = cmpxchg_64(r1 + 0x0, r0, r2)");
    expect(bytes("c3210800f1000000")).toBe("w0 = cmpxchg32_32(r1 + 0x8, w0, w2)");
    expect(bytes("8d03000000000000")).toBe("callx r3");
    expect(bytes("bf21010001000000")).toBe("r1 = addr_space_cast(r2, 0x0, 0x1)");
  });

  it("<unknown> for every operation code that there is none for, and throws for none", () => {
    const written = Array.from({ length: 256 }, (_, opcode) =>
      disassemble(decodeInsns(Buffer.from([opcode, 0x21, 0, 0, 0, 0, 0, 0])), 0),
    );
    expect(written.filter((text) => text === "<unknown>").length).toBeGreaterThan(40);
    expect(written.every((text) => text.length > 0)).toBe(true);
  });

  it("the same for an instruction and for its bytes", () => {
    const { insns } = codeOf("r1 = 0x5 ll; *(u8 *)(r1 + 3) = 7; exit", { type: "xdp" });
    const decoded = decodeInsns(encode(insns));
    expect([0, 2, 3].map((slot) => disassemble(decoded, slot))).toEqual(
      [0, 2, 3].map((slot) => disassemble(insns, slot)),
    );
  });
});
