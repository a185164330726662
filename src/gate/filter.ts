import { ERRNO } from "../errno.js";
import { NR } from "./sys/numbers.js";

/**
 * The seccomp filter of a gate, as an array of struct sock_filter (linux/filter.h): what loads code into the kernel asks
 * the gate, matched on the system call's number alone, because every other register is the caller's to choose; a new
 * kernel image and every foreign way into the kernel (i386, x32) are refused by the kernel itself; all else runs at the
 * cost of a few instructions, or of none, since the kernel remembers numbers that are always allowed.
 */
export function gateFilter(): Uint8Array {
  const asked = WATCHED.length;
  const refused = REFUSED.length;
  // Jumps count instructions from the next one on. Layout: 4 of entry, one for each number, allow, ask, refuse.
  const allow = 4 + asked + refused;
  const ask = allow + 1;
  const refuse = allow + 2;
  const code: Instruction[] = [
    [LOAD_WORD, 0, 0, OFFSET_ARCH],
    [JUMP_EQUAL, 0, refuse - 2, AUDIT_ARCH_X86_64],
    [LOAD_WORD, 0, 0, OFFSET_NUMBER],
    [JUMP_GREATER_EQUAL, refuse - 4, 0, X32_BIT],
  ];
  for (const number of WATCHED) code.push([JUMP_EQUAL, ask - code.length - 1, 0, number]);
  for (const number of REFUSED) code.push([JUMP_EQUAL, refuse - code.length - 1, 0, number]);
  code.push([RETURN, 0, 0, RET_ALLOW], [RETURN, 0, 0, RET_USER_NOTIF], [RETURN, 0, 0, RET_ERRNO | ERRNO.EPERM]);
  return encode(code);
}

/** System calls that a gate is asked about. */
export const WATCHED: readonly number[] = [NR.bpf, NR.init_module, NR.finit_module];
/** A new kernel would run without the gate. */
export const REFUSED: readonly number[] = [NR.kexec_load, NR.kexec_file_load];

/** One struct sock_filter: code, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** Opcodes of classic BPF (linux/bpf_common.h): BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K. */
const LOAD_WORD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;

/** Actions of a filter (linux/seccomp.h). */
const RET_ALLOW = 0x7fff0000;
const RET_USER_NOTIF = 0x7fc00000;
const RET_ERRNO = 0x00050000;

/** struct seccomp_data: the number at 0, the architecture at 4. */
const OFFSET_NUMBER = 0;
const OFFSET_ARCH = 4;
/** linux/audit.h: EM_X86_64 (62), 64 bits, little-endian. */
export const AUDIT_ARCH_X86_64 = 0xc000003e;
/** __X32_SYSCALL_BIT of asm/unistd.h: the x32 calls have the same architecture and this bit in their number. */
const X32_BIT = 0x40000000;

function encode(code: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * code.length));
  for (const [index, [opcode, jt, jf, k]] of code.entries()) {
    view.setUint16(8 * index, opcode, true);
    view.setUint8(8 * index + 2, jt);
    view.setUint8(8 * index + 3, jf);
    view.setUint32(8 * index + 4, k, true);
  }
  return new Uint8Array(view.buffer);
}
