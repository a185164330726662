/** One struct sock_filter: code, jump if true, jump if false, operand. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/**
 * Opcodes of classic BPF (linux/bpf_common.h): BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGT|K, BPF_JMP|JGE|K,
 * BPF_JMP|JSET|K, BPF_RET|K.
 */
export const LOAD_WORD = 0x20;
export const JUMP_EQUAL = 0x15;
export const JUMP_GREATER = 0x25;
export const JUMP_GREATER_EQUAL = 0x35;
export const JUMP_SET = 0x45;
export const RETURN = 0x06;

/** Actions of a filter (linux/seccomp.h). */
export const RET_ALLOW = 0x7fff0000;
export const RET_USER_NOTIF = 0x7fc00000;
/** The low 16 bits are the errno. */
export const RET_ERRNO = 0x00050000;

/**
 * Offsets in struct seccomp_data (linux/seccomp.h): number, architecture, and the low words of 64-bit arguments. The
 * high word follows each.
 */
export const OFFSET_NUMBER = 0;
export const OFFSET_ARCH = 4;
export const OFFSET_FIRST = 16;
export const OFFSET_SECOND = 24;
export const OFFSET_THIRD = 32;
export const OFFSET_FIFTH = 48;

/** Returns the program as an array of struct sock_filter. */
export function encode(code: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * code.length));
  for (const [index, [opcode, jt, jf, k]] of code.entries()) {
    view.setUint16(8 * index, opcode, true);
    view.setUint8(8 * index + 2, jt);
    view.setUint8(8 * index + 3, jf);
    view.setUint32(8 * index + 4, k, true);
  }
  return new Uint8Array(view.buffer);
}
