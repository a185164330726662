import { roomFor } from "../sys/memory.js";

/**
 * Where things lie in `union bpf_attr` (linux/bpf.h; little-endian; a test checks each against the header). An attr
 * that is shorter than the kernel's reads as zero past its end (bpf_check_uarg_tail_zero and CHECK_ATTR of
 * kernel/bpf/syscall.c).
 */

/** BPF_PROG_LOAD. `signature` and what follows came with Linux 6.18. */
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

/** BPF_MAP_CREATE. `exclusive` and its size came with Linux 6.18. */
export const CREATE = {
  mapType: 0,
  keySize: 4,
  valueSize: 8,
  maxEntries: 12,
  mapFlags: 16,
  innerMapFd: 20,
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

/** BPF_OBJ_GET: pathname 0 · bpf_fd 8 · file_flags 12 · path_fd 16. */
export const GET = { pathname: 0, bpfFd: 8, fileFlags: 12, pathFd: 16, size: 24 } as const;

/** The *_GET_FD_BY_ID commands: id 0 · next_id 4 · open_flags 8. */
export const BY_ID = { id: 0, nextId: 4, openFlags: 8, size: 12 } as const;

/** Flags that say what an fd in attr is for. */
export const FLAG = { pathFd: 1 << 14, tokenFd: 1 << 16, readOnly: 1 << 3, writeOnly: 1 << 4 } as const;

/** Bytes of the union: its longest command is BPF_PROG_LOAD. */
export const ATTR_SIZE = LOAD.size;

/** A page: the kernel refuses a longer attr before it looks at it. */
export const MAX_ATTR = 4096;

/** One attr, copied once. Fields past its end are zero. */
export class Attr {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  /**
   * `size` is what the task said; `room` what this command's fields take at most. Zeros, or what it is `filled` with.
   */
  constructor(
    readonly size: number,
    room: number,
    filled?: Uint8Array,
  ) {
    this.bytes = roomFor(Math.max(size, room));
    if (filled !== undefined) this.bytes.set(filled);
    this.bytes.fill(0, filled?.byteLength);
    this.#view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
  }

  /** What the task gave: to be filled by the copy, and to be carried out. */
  get given(): Uint8Array {
    return this.bytes.subarray(0, this.size);
  }

  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  s32(offset: number): number {
    return this.#view.getInt32(offset, true);
  }

  u64(offset: number): bigint {
    return this.#view.getBigUint64(offset, true);
  }

  setU32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  setU64(offset: number, value: bigint): void {
    this.#view.setBigUint64(offset, value, true);
  }

  /** Whether there is any memory: an address, which is 64 bits wide, takes longer to make a number of. */
  points(offset: number): boolean {
    return this.u32(offset) !== 0 || this.u32(offset + 4) !== 0;
  }

  /** No memory. */
  clearPointer(offset: number): void {
    this.#view.setUint32(offset, 0, true);
    this.#view.setUint32(offset + 4, 0, true);
  }

  setPointer(offset: number, address: number): void {
    this.setU64(offset, BigInt(address));
  }

  /** A name of 16 bytes, up to its NUL. */
  name(offset: number): string {
    let end = offset;
    while (end < offset + 16 && this.bytes[end] !== 0) end += 1;
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset + offset, end - offset).toString("latin1");
  }
}
