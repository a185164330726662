import { roomFor } from "../../sys/memory.js";

/**
 * Byte offsets of the fields of `union bpf_attr` (linux/bpf.h, little-endian). A test compares each offset with the
 * header. If a task passes a shorter attr, the missing fields read as zero (__sys_bpf of kernel/bpf/syscall.c).
 */

/** BPF_PROG_LOAD. Linux 6.18 added `signature` and the fields after it. */
export const LOAD = {
  progType: 0,
  insnCount: 4,
  insns: 8,
  license: 16,
  logLevel: 24,
  logSize: 28,
  logBuf: 32,
  progFlags: 44,
  progName: 48,
  progIfindex: 64,
  expectedAttachType: 68,
  progBtfFd: 72,
  funcInfoRecordSize: 76,
  funcInfo: 80,
  funcInfoCount: 88,
  lineInfoRecordSize: 92,
  lineInfo: 96,
  lineInfoCount: 104,
  attachBtfId: 108,
  attachFd: 112,
  coreReloCount: 116,
  fdArray: 120,
  coreRelos: 128,
  coreReloRecordSize: 136,
  logTrueSize: 140,
  tokenFd: 144,
  fdArrayCount: 148,
  signature: 152,
  signatureSize: 160,
  keyringId: 164,
  size: 168,
} as const;

/** BPF_MAP_CREATE. Linux 6.18 added `exclusiveHash` (excl_prog_hash) and its size. */
export const CREATE = {
  mapType: 0,
  keySize: 4,
  valueSize: 8,
  maxEntries: 12,
  mapFlags: 16,
  innerMapFd: 20,
  numaNode: 24,
  mapName: 28,
  mapIfindex: 44,
  btfFd: 48,
  btfKeyTypeId: 52,
  btfValueTypeId: 56,
  btfValueObjectFd: 72,
  tokenFd: 76,
  exclusiveHash: 80,
  exclusiveHashSize: 88,
  size: 96,
} as const;

/** BPF_OBJ_GET. */
export const GET = { pathname: 0, bpfFd: 8, fileFlags: 12, pathFd: 16, size: 24 } as const;

/** The *_GET_FD_BY_ID commands. */
export const BY_ID = { id: 0, nextId: 4, openFlags: 8, size: 12 } as const;

/** The *_GET_NEXT_ID commands. The kernel writes `nextId`. */
export const NEXT_ID = { startId: 0, nextId: 4, size: 8 } as const;

/** Bits of the flags fields of several commands: BPF_F_PATH_FD, BPF_F_TOKEN_FD, BPF_F_RDONLY and BPF_F_WRONLY. */
export const FLAG = { pathFd: 1 << 14, tokenFd: 1 << 16, readOnly: 1 << 3, writeOnly: 1 << 4 } as const;

/** Size of the union in bytes. BPF_PROG_LOAD is its longest member. */
export const ATTR_SIZE = LOAD.size;

/**
 * A pointer that the kernel rejects with EFAULT whenever it reads it: the last page of the address space, which is
 * never mapped. The gate passes it for memory that it could not copy, so that the kernel decides what the call returns.
 */
export const UNREADABLE = 0xffff_ffff_ffff_f000n;

/** Size of a page. The kernel returns E2BIG for a longer attr without reading it (bpf_check_uarg_tail_zero). */
export const MAX_ATTR = 4096;

/**
 * A copy of one bpf_attr. Fields past the end of the task's attr are zero. All fields are words of 32 bits, or two of
 * them with the low word first: V8 makes an array of words in half the time that it needs for a DataView.
 */
export class Attr {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array;

  /**
   * `size` is the size that the task passed to bpf(2), and `room` the size of all fields of the command. `filled` is
   * the initial content; the rest is zero.
   */
  constructor(
    readonly size: number,
    room: number,
    filled?: Uint8Array,
  ) {
    this.bytes = roomFor(Math.max(size, room));
    if (filled !== undefined) this.bytes.set(filled);
    this.bytes.fill(0, filled?.byteLength);
    // memory of roomFor() begins at a multiple of 8
    this.#words = new Uint32Array(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength >>> 2);
  }

  /** The first `size` bytes: the part that the task passed. */
  get given(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  u32(offset: number): number {
    return this.#words[offset >>> 2]!;
  }

  s32(offset: number): number {
    return this.u32(offset) | 0;
  }

  u64(offset: number): bigint {
    const high = this.u32(offset + 4);
    return high < SAFE ? BigInt(high * WORD + this.u32(offset)) : (BigInt(high) << 32n) | BigInt(this.u32(offset));
  }

  setU32(offset: number, value: number): void {
    this.#words[offset >>> 2] = value;
  }

  setU64(offset: number, value: bigint): void {
    this.setU32(offset, Number(BigInt.asUintN(32, value)));
    this.setU32(offset + 4, Number(value >> 32n));
  }

  /** Whether the pointer is not NULL. Comparing two 32-bit words is faster than creating a bigint. */
  points(offset: number): boolean {
    return this.u32(offset) !== 0 || this.u32(offset + 4) !== 0;
  }

  /** Sets the pointer to NULL. */
  clearPointer(offset: number): void {
    this.setPointer(offset, 0);
  }

  setPointer(offset: number, address: number): void {
    this.setU32(offset, address);
    this.setU32(offset + 4, address / WORD);
  }

  /** Reads a name of up to 16 bytes (BPF_OBJ_NAME_LEN). It ends at the first NUL. */
  name(offset: number): string {
    let end = offset;
    while (end < offset + 16 && this.bytes[end] !== 0) end += 1;
    if (end === offset) return "";
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + offset, end - offset).toString("latin1");
  }
}

/** 2^32. */
const WORD = 2 ** 32;
/** Below this high word a number of 64 bits is a safe integer. */
const SAFE = 2 ** 21;
