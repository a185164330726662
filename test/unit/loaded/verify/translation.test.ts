import { expect, it } from "vitest";
import { relationOf } from "../../../../src/loaded/verify/translation.js";

/** One instruction: opcode, registers, immediate. */
function insn(code: number, registers: number, immediate: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = code;
  bytes[1] = registers;
  bytes.writeInt32LE(immediate | 0, 4);
  return bytes;
}
/** `ld_imm64` into register 3, from `source`. */
const wide = (low: number, high: number, source = 0) =>
  Buffer.concat([insn(0x18, (source << 4) | 3, low), insn(0, 0, high)]);
const CALL = insn(0x85, 0, 169);
const EXIT = insn(0x95, 0, 0);
const program = (...parts: readonly Buffer[]) => new Uint8Array(Buffer.concat([...parts, CALL, EXIT]));

const ADDRESS = wide(0x1000, 0xffff8881);
const OTHER = wide(0x2000, 0xffffc900);

it.each([
  ["the same instructions", program(ADDRESS), program(ADDRESS), "same"],
  ["no instructions", new Uint8Array(0), new Uint8Array(0), "same"],
  ["another address of the kernel", program(ADDRESS), program(OTHER), "same but for addresses"],
  ["an address by page tables of five levels", program(wide(0, 0xff3a3b3b)), program(OTHER), "same but for addresses"],
  ["another address, and another constant", program(ADDRESS, wide(1, 0)), program(OTHER, wide(2, 0)), "other"],
  ["another constant", program(wide(1, 0)), program(wide(2, 0)), "other"],
  ["an address in place of a constant", program(ADDRESS), program(wide(1, 0)), "other"],
  ["another map", program(wide(5, 0, 1)), program(wide(6, 0, 1)), "other"],
  ["another map, by a number like an address", program(wide(5, -1, 1)), program(wide(6, -1, 1)), "other"],
  ["another length", program(ADDRESS), program(ADDRESS, EXIT), "other"],
  [
    "another register for the address",
    program(ADDRESS),
    program(Buffer.concat([insn(0x18, 2, 0x1000), ADDRESS.subarray(8)])),
    "other",
  ],
  [
    "half of an address at the end",
    new Uint8Array(ADDRESS.subarray(0, 8)),
    new Uint8Array(OTHER.subarray(0, 8)),
    "other",
  ],
] as const)("compares translations: %s", (_, one, other, relation) => {
  expect(relationOf(one, other)).toBe(relation);
  expect(relationOf(other, one)).toBe(relation);
});
