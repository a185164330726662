import { sha256, zeroMapReferences } from "../../../bpf/insn/digest.js";
import { ERRNO } from "../../../errno.js";
import { addressOf } from "../../../sys/libc.js";
import { onPage } from "../../../sys/memory.js";
import { Attr, LOAD, UNREADABLE } from "../../call/attr.js";
import { denyTooLarge, failWith } from "../../call/failure.js";
import type { Task } from "../../task/task.js";
import { copyRecords, hasDebugInfo, RECORDS, type RecordKind } from "./load-records.js";

/** A complete copy of a BPF_PROG_LOAD. The gate decides on this copy and then loads it. */
export interface LiveLoad {
  /** The attr that the task passed, with the task's pointers and fds. */
  readonly given: Attr;
  /** Instructions with the task's own fd numbers. */
  readonly insns: Uint8Array;
  readonly license: string;
  /** The copied bytes of the license, with the NUL. */
  readonly licensed: Uint8Array;
  /** The BTF records of the load; each is empty if the load has none. */
  readonly funcInfo: Uint8Array;
  readonly lineInfo: Uint8Array;
  readonly coreRelos: Uint8Array;
  /** Whether the load names types, variables or functions of the kernel by BTF id. */
  readonly namesKernel: boolean;
  /** The signature over `insns`; null if there is none. */
  readonly kernelSignature: Uint8Array | null;
  /** The gate's copies of the maps that the instructions name, by the task's fd number or by index into fd_array. */
  readonly maps: ReadonlyMap<string, number>;
  /** The gate's copies of the BTF objects that `ld_imm64` instructions name, by the task's fd number. */
  readonly btfs: ReadonlyMap<number, number>;
  /** The instructions with the gate's fds; null if they name no BTF object. */
  readonly passed: Uint8Array | null;
  /** The attr that the gate passes to the kernel, with the gate's pointers and fds. */
  readonly attr: Attr;
  /** The buffer for the verifier's log; null if the task asked for none. */
  readonly log: Uint8Array | null;
  /** Memory that `attr` points to. Keeping it here protects it from garbage collection. */
  readonly held: readonly Uint8Array[];
}

/** Limits of the kernel (kernel/bpf/syscall.c, verifier.c), or of the gate where the kernel has none. */
const LIMIT = {
  insns: 1_000_000,
  license: 127,
  fdArray: 4096,
  /**
   * Number of distinct fds: the kernel accepts 64 maps, 64 BTFs, and 256 BTFs for kfunc calls (MAX_USED_MAPS,
   * MAX_USED_BTFS, MAX_KFUNC_BTFS).
   */
  fds: 512,
  log: 16 * 1024 * 1024,
  signature: 64 * 1024,
} as const;

/** SHA-256 of the instructions with the fds of maps set to zero: the digest that policies see. */
export function digestOf({ insns }: LiveLoad): string {
  return sha256(zeroMapReferences(insns, "little"));
}

/**
 * Copies a BPF_PROG_LOAD and everything that it points to, once, and builds the attr that the gate passes to the
 * kernel. Throws a CallFailure if the kernel would reject the load at once, the task's memory cannot be read, or the
 * load is larger than the gate copies.
 */
export function copyLoad(task: Task, given: Attr): LiveLoad {
  const insnCount = given.u32(LOAD.insnCount);
  if (insnCount === 0 || insnCount > LIMIT.insns) failWith(ERRNO.E2BIG);
  const { insns, license } = copyCode(task, given, insnCount * 8);

  const attr = new Attr(given.size, LOAD.size, given.bytes);
  for (const pointer of POINTERS) attr.clearPointer(pointer); // an address of the task would refer to the gate's memory
  const held: Uint8Array[] = [];
  const point = (offset: number, bytes: Uint8Array) => {
    held.push(bytes);
    attr.setPointer(offset, addressOf(bytes));
    return bytes;
  };
  point(LOAD.license, license);

  const records = (kind: RecordKind) => {
    const bytes = copyRecords(task, given, kind);
    return bytes.byteLength > 0 ? point(RECORDS[kind].pointer, bytes) : bytes;
  };
  const funcInfo = records("funcInfo");
  const lineInfo = records("lineInfo");
  const coreRelos = hasDebugInfo(given) ? records("coreRelos") : NONE; // see withLoneRelocations

  const maps = new Map<string, number>();
  const named = new Set<number>();
  const take = (number: number) => (named.add(number).size > LIMIT.fds ? -ERRNO.E2BIG : task.fd(number));
  const btfs = new Map<number, number>();
  const { entries, namesKernel, translated } = translateInsns(take, insns, maps, btfs);
  point(LOAD.insns, translated);
  const fds = copyFdArray(task, take, given, entries, maps);
  if (named.size > LIMIT.fds) failWith(ERRNO.E2BIG);
  if (fds.byteLength > 0) point(LOAD.fdArray, fds);
  for (const offset of [LOAD.progBtfFd, LOAD.attachFd]) {
    const fd = given.u32(offset);
    if (fd !== 0 || (offset === LOAD.progBtfFd && hasDebugInfo(given))) attr.setU32(offset, task.fd(fd) >>> 0);
  }

  const kernelSignature = copySignature(task, given);
  if (kernelSignature !== null) point(LOAD.signature, kernelSignature);
  else if (given.points(LOAD.signature)) attr.setU64(LOAD.signature, UNREADABLE);
  const log = logBuffer(given);
  if (log !== null) {
    point(LOAD.logBuf, log);
    attr.setU32(LOAD.logSize, log.byteLength);
  }
  return {
    given,
    insns,
    license: license.toString("latin1", 0, license.length - 1),
    licensed: license,
    funcInfo,
    lineInfo,
    coreRelos,
    namesKernel: namesKernel || given.u32(LOAD.attachBtfId) !== 0,
    kernelSignature,
    maps,
    btfs,
    passed: btfs.size === 0 ? null : translated,
    attr,
    log,
    held,
  };
}

/**
 * Copies the instructions and the license, with its NUL, by one system call. That call copies only the part of the
 * license on its first page; the rest is copied only if that part has no NUL.
 */
function copyCode(task: Task, given: Attr, size: number): { readonly insns: Uint8Array; readonly license: Buffer } {
  const address = given.u64(LOAD.license);
  const first = onPage(address, LIMIT.license);
  const spans = [
    { address: given.u64(LOAD.insns), length: size },
    { address, length: first },
  ];
  const bytes = task.readAll(spans) ?? failWith(ERRNO.EFAULT);
  const insns = bytes.subarray(0, size);
  let end = size;
  while (end < bytes.byteLength && bytes[end] !== 0) end += 1;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + size, Math.min(end + 1, bytes.byteLength) - size);
  if (end < bytes.byteLength) return { insns, license: text };
  const rest = first === LIMIT.license ? NONE : task.readString(address + BigInt(first), LIMIT.license - first);
  return { insns, license: Buffer.concat([text, rest ?? failWith(ERRNO.EFAULT), Uint8Array.of(0)]) };
}

/** Offsets of all pointers in the attr of BPF_PROG_LOAD. */
export const POINTERS = [
  LOAD.insns,
  LOAD.license,
  LOAD.logBuf,
  LOAD.funcInfo,
  LOAD.lineInfo,
  LOAD.fdArray,
  LOAD.coreRelos,
  LOAD.signature,
];

const NONE: Uint8Array = new Uint8Array(0);

/** Opcodes and pseudo source registers of linux/bpf.h. */
const LD_IMM64 = 0x18;
const CALL = 0x85;
const PSEUDO = { mapFd: 1, mapValue: 2, btfId: 3, mapIndex: 5, mapIndexValue: 6, kfunc: 2 } as const;

/**
 * Replaces the task's fds in ld_imm64 instructions by the gate's. An fd that the task does not have becomes -1, so that
 * the kernel rejects the load as it would reject the task's. `insns` is not changed: `translated` is a copy if the
 * instructions name any fd. Also returns how many entries of fd_array the instructions name, and whether they name
 * types, variables or functions of the kernel.
 */
function translateInsns(
  take: (number: number) => number,
  insns: Uint8Array,
  maps: Map<string, number>,
  btfs: Map<number, number>,
): { readonly entries: number; readonly namesKernel: boolean; readonly translated: Uint8Array } {
  let view: DataView | undefined; // most programs have no such instruction
  let translated = insns;
  const put = (at: number, fd: number) => {
    if (translated === insns) translated = insns.slice();
    new DataView(translated.buffer, translated.byteOffset).setInt32(at, fd < 0 ? -1 : fd, true);
  };
  let entries = 0;
  let namesKernel = false;
  const { byteLength } = insns;
  for (let at = 0; at + 8 <= byteLength; at += 8) {
    const opcode = insns[at];
    if (opcode !== CALL && opcode !== LD_IMM64) continue;
    const source = insns[at + 1]! >> 4;
    view ??= new DataView(insns.buffer, insns.byteOffset, byteLength);
    if (opcode === CALL) {
      if (source !== PSEUDO.kfunc) continue;
      const index = view.getInt16(at + 2, true);
      if (index > 0) entries = Math.max(entries, index + 1); // 0 is the kernel's own BTF
      namesKernel = true;
      continue;
    }
    const number = view.getInt32(at + 4, true);
    if (source === PSEUDO.mapFd || source === PSEUDO.mapValue) {
      const fd = take(number);
      if (fd >= 0) maps.set(`fd ${number}`, fd);
      put(at + 4, fd);
    } else if (source === PSEUDO.mapIndex || source === PSEUDO.mapIndexValue)
      entries = Math.max(entries, (number >>> 0) + 1);
    else if (source === PSEUDO.btfId && at + 16 <= byteLength) {
      namesKernel = true;
      const object = view.getInt32(at + 12, true);
      if (object !== 0) {
        const fd = take(object);
        if (fd >= 0) btfs.set(object, fd);
        put(at + 12, fd);
      }
    }
    at += 8;
  }
  return { entries, namesKernel, translated };
}

/**
 * Copies fd_array: `fd_array_cnt` entries, and all entries that the instructions name. The kernel reads an entry at any
 * index that an instruction names, even outside of the array (check_and_resolve_insns of kernel/bpf/verifier.c), and
 * that would be other memory of the gate. An entry that is not an fd of the task becomes -1.
 */
function copyFdArray(
  task: Task,
  take: (number: number) => number,
  given: Attr,
  references: number,
  maps: Map<string, number>,
): Uint8Array {
  if (!given.points(LOAD.fdArray)) return NONE;
  const count = Math.max(given.u32(LOAD.fdArrayCount), references);
  if (count > LIMIT.fdArray) denyTooLarge(`${count} entries of fd_array`, LIMIT.fdArray);
  const bytes = task.read(given.u64(LOAD.fdArray), count * 4)?.slice() ?? failWith(ERRNO.EFAULT);
  const fds = new Int32Array(bytes.buffer, bytes.byteOffset, count);
  for (const [index, number] of fds.entries()) {
    const fd = take(number);
    if (fd >= 0) maps.set(`index ${index}`, fd);
    fds[index] = Math.max(-1, fd);
  }
  return bytes;
}

/** Returns null if there is no signature, or the kernel will reject it: it is empty or cannot be read. */
function copySignature(task: Task, given: Attr): Uint8Array | null {
  const size = given.u32(LOAD.signatureSize);
  if (!given.points(LOAD.signature) || size === 0) return null;
  if (size > LIMIT.signature) denyTooLarge(`a signature of ${size} bytes`, LIMIT.signature);
  return task.read(given.u64(LOAD.signature), size);
}

/**
 * Allocates the buffer for the verifier's log; null if the task asked for none. Fails with EINVAL for the values that
 * bpf_verifier_log_attr_valid (kernel/bpf/log.c) rejects.
 */
function logBuffer(given: Attr): Uint8Array | null {
  const size = given.u32(LOAD.logSize);
  const pointed = given.points(LOAD.logBuf);
  if (pointed !== size > 0 || (pointed && given.u32(LOAD.logLevel) === 0)) failWith(ERRNO.EINVAL);
  if (size > 0xffffffff >>> 2) failWith(ERRNO.EINVAL);
  return pointed ? new Uint8Array(Math.min(size, LIMIT.log)) : null;
}
