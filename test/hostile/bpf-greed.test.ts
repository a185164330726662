// @module-tag deep
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { btfOf, elfOf, symbolOf, type WrittenSection } from "../../src/bpf/assembly/elf-writer.js";
import { factsOfObject } from "../../src/bpf/object.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { CountersignError } from "../../src/error.js";
import { worked } from "../support/work.js";

/** What one object may cost: blocks of code that run, and bytes. */
const MOST_BLOCKS = 150_000_000;
const MOST_BYTES = 256 * 2 ** 20;

const insn = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const NUMBER = insn("b7 00 0000 01000000");
const EXIT = insn("95 00 0000 00000000");
const LOAD = insn("18 01 0000 00000000 00 00 0000 00000000");
const CALL_UP = insn("85 10 0000 ffffffff");
const CALL_NEXT = insn("85 10 0000 01000000");
const BRANCH = insn("15 01 0500 01000000 b7 02 0000 03000000");
const MEMORY = insn("79 12 0000 00000000 2d 21 feff 00000000 7b 1a f8ff 00000000 85 00 0000 05000000");

const GLOBAL_FUNCTION = 0x12;
const LOCAL_FUNCTION = 0x02;
const GLOBAL_OBJECT = 0x11;

/** Code in a section `xdp`, then strings, symbols, and what else is wanted, from section 4 on. */
function object(code: Buffer, symbols: readonly Buffer[], more: readonly WrittenSection[] = []): Buffer {
  return elfOf(
    { name: "xdp", type: 1, flags: 6, data: code },
    { name: ".strtab", type: 3, data: Buffer.from("\0p\0") },
    { name: ".symtab", type: 2, link: 2, data: Buffer.concat([Buffer.alloc(24), ...symbols]) },
    ...more,
  );
}

function codeOf(insns: number, pattern: Buffer): Buffer {
  const code = Buffer.alloc(insns * 8, pattern);
  EXIT.copy(code, code.length - 8);
  return code;
}

const program = (code: Buffer, more?: readonly WrittenSection[]) =>
  object(code, [symbolOf(1, GLOBAL_FUNCTION, 1, 0, code.length)], more);

const programs = (count: number, code: Buffer) =>
  object(
    Buffer.alloc(count * code.length, code),
    Array.from({ length: count }, (_, at) => symbolOf(1, GLOBAL_FUNCTION, 1, at * code.length, code.length)),
  );

function types(count: number, kind: number): WrittenSection {
  const type = Buffer.alloc(12);
  type.writeUInt32LE(1, 0);
  type.writeUInt32LE(kind << 24, 4);
  return { name: ".BTF", type: 1, data: btfOf(Buffer.alloc(12 * count, type), "\0xdp\0") };
}

function coreRelocations(count: number): WrittenSection {
  const data = Buffer.alloc(32 + 12 + 16 * count);
  data.writeUInt16LE(0xeb9f, 0);
  data[2] = 1;
  data.writeUInt32LE(32, 4);
  data.writeUInt32LE(12 + 16 * count, 28);
  data.writeUInt32LE(16, 32);
  data.writeUInt32LE(1, 36);
  data.writeUInt32LE(count, 40);
  for (let record = 0; record < count; record++) data.writeUInt32LE((record % 1000) * 8, 44 + 16 * record);
  return { name: ".BTF.ext", type: 1, data };
}

function loads(count: number): Buffer {
  const code = Buffer.concat([Buffer.alloc(16 * count, LOAD), NUMBER, EXIT]);
  const relocations = Buffer.alloc(16 * count);
  for (let index = 0; index < count; index++) {
    relocations.writeBigUInt64LE(BigInt(16 * index), 16 * index);
    relocations.writeUInt32LE(1, 16 * index + 8);
    relocations.writeUInt32LE(2, 16 * index + 12);
  }
  return object(
    code,
    [symbolOf(1, GLOBAL_FUNCTION, 1, 0, code.length), symbolOf(1, GLOBAL_OBJECT, 4, 0, 8)],
    [
      { name: ".data", type: 1, flags: 3, data: Buffer.alloc(8) },
      { name: ".relxdp", type: 9, link: 3, info: 1, data: relocations },
    ],
  );
}

function chain(count: number): Buffer {
  const text = Buffer.concat(
    Array.from({ length: count }, (_, at) => [at + 1 < count ? CALL_NEXT : NUMBER, EXIT]).flat(),
  );
  const relocation = Buffer.alloc(16);
  relocation.writeUInt32LE(1, 8);
  relocation.writeUInt32LE(2, 12);
  return object(
    Buffer.concat([CALL_UP, EXIT]),
    [
      symbolOf(1, GLOBAL_FUNCTION, 1, 0, 16),
      ...Array.from({ length: count }, (_, at) => symbolOf(1, LOCAL_FUNCTION, 4, 16 * at, 16)),
    ],
    [
      { name: ".text", type: 1, flags: 6, data: text },
      { name: ".relxdp", type: 9, link: 3, info: 1, data: relocation },
    ],
  );
}

const GREEDY: readonly (readonly [string, string, () => Buffer])[] = [
  ["a million numbers", "facts", () => program(codeOf(1_000_000, NUMBER))],
  ["a million branches", "facts", () => program(codeOf(1_000_000, BRANCH))],
  ["a million instructions and one", "INSN_MALFORMED", () => program(codeOf(1_000_001, NUMBER))],
  ["4,096 programs", "ELF_UNSUPPORTED", () => programs(4096, codeOf(4, MEMORY))],
  ["1,024 programs of 1,000 instructions", "ELF_UNSUPPORTED", () => programs(1024, codeOf(1000, MEMORY))],
  ["1,024 programs of 400 instructions", "facts", () => programs(1024, codeOf(400, MEMORY))],
  ["a million types", "facts", () => program(codeOf(2, NUMBER), [types(0xffffe, 2)])],
  ["two million types", "BTF_MALFORMED", () => program(codeOf(2, NUMBER), [types(2_000_000, 2)])],
  [
    "a million sections in its BTF",
    "BTF_MALFORMED",
    () => program(codeOf(2, NUMBER), [types(1_000_000, 15), { name: ".data", type: 1, data: Buffer.alloc(8) }]),
  ],
  [
    "three million CO-RE relocations",
    "BTF_MALFORMED",
    () => program(codeOf(1000, NUMBER), [types(1, 2), coreRelocations(3_000_000)]),
  ],
  ["half a million relocations", "ELF_UNSUPPORTED", () => loads(499_000)],
  ["a hundred thousand relocations", "facts", () => loads(100_000)],
  ["4,000 subprograms that call each other in turn", "facts", () => chain(4000)],
  [
    "a hundred thousand symbols",
    "facts",
    () => object(codeOf(2, NUMBER), [symbolOf(1, GLOBAL_FUNCTION, 1, 0, 16), ...objects(99_990)]),
  ],
  [
    "a million symbols",
    "ELF_UNSUPPORTED",
    () => object(codeOf(2, NUMBER), [symbolOf(1, GLOBAL_FUNCTION, 1, 0, 16), ...objects(1_000_000)]),
  ],
];

function objects(count: number): Buffer[] {
  const one = symbolOf(1, GLOBAL_OBJECT, 1, 0, 8);
  return Array.from({ length: count }, () => one);
}

describe("an object that asks for much", () => {
  it.each(GREEDY)("with %s ends in time, and in little memory: %s", (_, expected, make) => {
    const bytes = make();
    const before = heldBytes();
    const { result, blocks } = worked(() => outcome(bytes));
    expect(result).toBe(expected);
    expect(heldBytes() - before).toBeLessThan(MOST_BYTES);
    expect(blocks).toBeLessThan(MOST_BLOCKS);
  });
});

function heldBytes(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function outcome(bytes: Uint8Array): string {
  try {
    factsOfObject(bytes, (program) => void programDetailsOf(program));
    return "facts";
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
}
