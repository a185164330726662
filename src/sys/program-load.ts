import { bpf } from "./bpf.js";
import { addressOf, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** What bpf(BPF_PROG_LOAD) is called with. */
export interface ProgramToLoad {
  /** enum bpf_prog_type and enum bpf_attach_type of linux/bpf.h. */
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  readonly license: string;
  /** At most 15 characters. */
  readonly name: string;
  /** struct bpf_insn[] with fds of maps. */
  readonly insns: Uint8Array;
  /** An fd of BTF, and struct bpf_func_info[] by it, 8 bytes each; null for none. */
  readonly functions: { readonly btf: number; readonly records: Uint8Array } | null;
}

const PROG_LOAD = 5;
/** Size in bytes of union bpf_attr up to and including `attach_btf_id`. */
const ATTR_SIZE = 112;
const RECORD_SIZE = 8;

/**
 * Loads a program. Returns an fd, which the caller closes, or a negative errno. struct bpf_attr: prog_type 0 · insn_cnt
 * 4 · insns u64 8 · license u64 16 · prog_flags 44 · prog_name 48 · expected_attach_type 68 · prog_btf_fd 72 ·
 * func_info_rec_size 76 · func_info u64 80 · func_info_cnt 88.
 */
export function loadProgram({ type, attachType, flags, license, name, insns, functions }: ProgramToLoad): number {
  const attr = Buffer.alloc(ATTR_SIZE);
  const text = Buffer.from(`${license}\0`);
  attr.writeUInt32LE(type, 0);
  attr.writeUInt32LE(insns.byteLength / 8, 4);
  attr.writeBigUInt64LE(BigInt(addressOf(insns)), 8);
  attr.writeBigUInt64LE(BigInt(addressOf(text)), 16);
  attr.writeUInt32LE(flags, 44);
  attr.write(name, 48, 15, "latin1");
  attr.writeUInt32LE(attachType, 68);
  if (functions !== null) {
    attr.writeUInt32LE(functions.btf, 72);
    attr.writeUInt32LE(RECORD_SIZE, 76);
    attr.writeBigUInt64LE(BigInt(addressOf(functions.records)), 80);
    attr.writeUInt32LE(functions.records.byteLength / RECORD_SIZE, 88);
  }
  return bpf(PROG_LOAD, keepAlive(attr, insns, text, ...(functions === null ? [] : [functions.records])));
}

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** Has the kernel kill this process when the thread that started it ends (prctl(2)). Returns 0 or a negative errno. */
export function dieWithParent(): number {
  return syscall(NR.prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}
