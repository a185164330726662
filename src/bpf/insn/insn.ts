import { CountersignError } from "../../error.js";

/** The byte order of an object, and of each `struct bpf_insn` in it. */
export type ByteOrder = "little" | "big";

/** `struct bpf_insn` is 8 bytes (include/uapi/linux/bpf.h). */
export const INSN_SIZE = 8;

/** Maximum number of instructions of one program: BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h. */
export const MAX_INSNS = 1_000_000;

/**
 * Maximum number of functions of one program, itself included: BPF_MAX_SUBPROGS of include/linux/bpf_verifier.h. For
 * more, add_subprog of kernel/bpf/verifier.c returns E2BIG.
 */
export const MAX_FUNCTIONS = 256;

/** Operation codes and their parts (RFC 9669, sections 3 to 5). */
export const OP = {
  CLASS: 0x07,
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  STX: 0x03,
  ALU: 0x04,
  JMP: 0x05,
  JMP32: 0x06,
  ALU64: 0x07,
  /** The operation bits of ALU and JMP classes; and the source bit: 0 for the immediate, 8 for the source register. */
  CODE: 0xf0,
  X: 0x08,
  JA: 0x00,
  CALL_CODE: 0x80,
  EXIT_CODE: 0x90,
  /** The size and the mode of loads and stores. */
  SIZE: 0x18,
  W: 0x00,
  H: 0x08,
  B: 0x10,
  DW: 0x18,
  MODE: 0xe0,
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  MEMSX: 0x80,
  ATOMIC: 0xc0,
  /** Whole operation codes. */
  LD_IMM64: 0x18,
  CALL: 0x85,
  CALLX: 0x8d,
  EXIT: 0x95,
  JA32: 0x06,
  JA16: 0x05,
} as const;

/** Meaning of `src` in an `ld_imm64` (BPF_PSEUDO_* of include/uapi/linux/bpf.h). */
export const LD_SRC = {
  NUMBER: 0,
  MAP_FD: 1,
  MAP_VALUE: 2,
  BTF_ID: 3,
  FUNC: 4,
  MAP_IDX: 5,
  MAP_IDX_VALUE: 6,
} as const;

/**
 * Whether a call is one that libbpf wrote over an instruction that the running kernel does not support. It calls a
 * helper that does not exist, which the kernel rejects if the call is reachable (bpf_core_poison_insn of relo_core.c;
 * POISON_LDIMM64_MAP_BASE and POISON_CALL_KFUNC_BASE of libbpf.c).
 */
export function isPoison(helper: number): boolean {
  return helper === 0xbad2310 || (helper >= 2_001_000_000 && helper < 2_003_000_000);
}

/** Meaning of `src` in a call: `imm` is a helper's id, the offset of a subprogram, or the BTF id of a kfunc. */
export const CALL_SRC = { HELPER: 0, SUBPROGRAM: 1, KFUNC: 2 } as const;

/** Instructions by column, with one entry for each slot. An `ld_imm64` takes two slots; the second has opcode 0. */
export interface Insns {
  readonly count: number;
  readonly opcode: Uint8Array;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly off: Int16Array;
  readonly imm: Int32Array;
}

/** Throws INSN_MALFORMED if the length is zero, not a multiple of 8, or above the kernel's limit. */
export function countInsns(bytes: Uint8Array): number {
  const count = bytes.length / INSN_SIZE;
  if (!Number.isInteger(count))
    throw malformed(`${bytes.length} bytes of instructions are not a multiple of ${INSN_SIZE}`);
  if (count === 0) throw malformed("there are no instructions");
  if (count > MAX_INSNS)
    throw malformed(
      `${count} instructions are more than the kernel's limit of ${MAX_INSNS}`,
      "split it with tail calls",
    );
  return count;
}

/**
 * Decodes instructions. In a big-endian `struct bpf_insn` the register fields are swapped too: the destination is the
 * high nibble. `memory` gives the memory for them, which starts at a multiple of 4 bytes of its buffer. Throws as
 * {@link countInsns}.
 */
export function decodeInsns(bytes: Uint8Array, order: ByteOrder = "little", memory = allocated): Insns {
  const count = countInsns(bytes);
  // One buffer for all columns: the garbage collector's cost depends on the number of buffers, not on their size.
  const { buffer, byteOffset } = memory(9 * count);
  const imm = new Int32Array(buffer, byteOffset, count);
  const off = new Int16Array(buffer, byteOffset + 4 * count, count);
  const opcode = new Uint8Array(buffer, byteOffset + 6 * count, count);
  const dst = new Uint8Array(buffer, byteOffset + 7 * count, count);
  const src = new Uint8Array(buffer, byteOffset + 8 * count, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const little = order === "little";
  for (let i = 0, at = 0; i < count; i++, at += INSN_SIZE) {
    const word = view.getInt32(at, little);
    const registers = little ? word >> 8 : word >> 16;
    opcode[i] = little ? word : word >> 24;
    dst[i] = (little ? registers : registers >> 4) & 15;
    src[i] = (little ? registers >> 4 : registers) & 15;
    off[i] = little ? word >> 16 : word;
    imm[i] = view.getInt32(at + 4, little);
  }
  return { count, opcode, dst, src, off, imm };
}

/** Memory that is not filled with zeros: `decodeInsns` writes all of it. */
function allocated(bytes: number): ArrayBufferView {
  return Buffer.allocUnsafeSlow(bytes);
}

/**
 * The slot of the first `ld_imm64`, where a search for them may begin; `count` if there is none. The column is searched
 * natively, which takes less time than a loop.
 */
export function firstWide({ opcode, count }: Insns): number {
  const at = opcode.indexOf(OP.LD_IMM64);
  return at === -1 ? count : at;
}

/** Where a search for calls and `ld_imm64` may begin, which skips the second slots of the latter. */
export function firstCallOrWide(insns: Insns): number {
  const at = insns.opcode.indexOf(OP.CALL);
  return Math.min(at === -1 ? insns.count : at, firstWide(insns));
}

function malformed(message: string, remedy = "check that the program is whole"): CountersignError {
  return new CountersignError("INSN_MALFORMED", message, { remedy });
}
