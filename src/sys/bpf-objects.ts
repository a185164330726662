import { ERRNO } from "../errno.js";
import { bpf } from "./bpf.js";
import { cString } from "./file.js";
import { addressOf, Fixed, keepAlive, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const OBJ_GET = 7;
/** BPF_F_RDONLY of linux/bpf.h. */
const RDONLY = 1 << 3;

/**
 * Opens a pinned object, a map only for reading. Returns an fd, which the caller closes, or a negative errno. struct
 * bpf_attr: pathname u64 0 · bpf_fd 8 · file_flags 12. The kernel opens links only for reading and writing.
 */
export function openPinned(path: string): number {
  const name = cString(path);
  const open = (flags: number) => {
    const attr = new DataView(new ArrayBuffer(16));
    attr.setBigUint64(0, BigInt(addressOf(name)), true);
    attr.setUint32(12, flags, true);
    return bpf(OBJ_GET, keepAlive(new Uint8Array(attr.buffer), name));
  };
  const fd = open(RDONLY);
  return fd === -ERRNO.EINVAL ? open(0) : fd;
}

/** A place of an information structure at which the kernel takes the address of a buffer and its length. */
export interface BufferPlace {
  /** Byte offset of the address, 64 bits. */
  readonly address: number;
  /** Byte offset of the length, 32 bits, in units of `unit` bytes. */
  readonly length: number;
  readonly unit: number;
  /** Byte offset at which the kernel takes `unit`, 32 bits; absent if it does not ask for it. */
  readonly unitAt?: number;
  readonly buffer: Uint8Array;
}

/**
 * What the kernel reports about an object (BPF_OBJ_GET_INFO_BY_FD), at most `size` bytes of its structure: bytes that
 * this kernel does not know stay 0. The caller keeps the buffers. Returns a negative errno on failure.
 */
export function objectReport(fd: number, size: number, places: readonly BufferPlace[] = []): DataView | number {
  const { memory: info } = report;
  new Uint8Array(info.buffer).fill(0);
  for (const { address, length, unit, unitAt, buffer } of places) {
    info.setBigUint64(address, BigInt(addressOf(buffer)), true);
    if (unitAt !== undefined) info.setUint32(unitAt, unit, true);
    info.setUint32(length, buffer.byteLength / unit, true);
  }
  const { memory: attr, address } = asked;
  attr.setUint32(0, fd, true);
  attr.setUint32(4, size, true);
  attr.setBigUint64(8, REPORT, true);
  const result = syscall(NR.bpf, OBJ_GET_INFO_BY_FD, address, attr.byteLength);
  return result < 0 ? result : new DataView(info.buffer.slice(0, size));
}

/** Room for each structure of information, and the attributes of the command: bpf_fd 0 · info_len 4 · info u64 8. */
const report = new Fixed(new DataView(new ArrayBuffer(256)));
const REPORT = BigInt(report.address);
const asked = new Fixed(new DataView(new ArrayBuffer(16)));

const OBJ_GET_INFO_BY_FD = 15;
const PROG_QUERY = 16;
/** Number of programs for which there is room at first: more ask again. */
const FEW = 64;

/**
 * The ids of the programs that are attached to a target by this type: a cgroup, a network namespace or a map of sockets
 * by its fd, an interface by its number in the namespace of the calling thread. Returns a negative errno on failure,
 * EINVAL for a type that this kernel does not have. struct bpf_attr: target 0 · attach_type 4 · prog_ids u64 16 ·
 * prog_cnt 24.
 */
export function queryPrograms(target: number, attachType: number, room = FEW): readonly number[] | number {
  const ids = new Uint32Array(room);
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(0, target, true);
  attr.setUint32(4, attachType, true);
  attr.setBigUint64(16, BigInt(addressOf(ids)), true);
  attr.setUint32(24, room, true);
  const result = bpf(PROG_QUERY, keepAlive(new Uint8Array(attr.buffer), ids));
  const count = attr.getUint32(24, true);
  if (result === -ERRNO.ENOSPC && count > room) return queryPrograms(target, attachType, count);
  return result < 0 ? result : [...ids.subarray(0, count)].filter((id) => id !== 0);
}

const TASK_FD_QUERY = 20;
/** PATH_MAX of linux/limits.h. */
const EVENT_NAME = 4096;

/** The program that is attached to an event of a process. */
export interface EventProgram {
  readonly program: number;
  /** enum bpf_task_fd_type of linux/bpf.h. */
  readonly type: number;
  /** The name of a tracepoint or function, or the path of a file, with bytes of 0 after it; empty if it has none. */
  readonly name: Uint8Array;
  readonly offset: bigint;
}

/**
 * The program of a perf event that a process has a descriptor of. Returns a negative errno: ENOENT if it has none,
 * EOPNOTSUPP for events that the kernel does not tell of. struct bpf_attr: pid 0 · fd 4 · buf_len 12 · buf u64 16 ·
 * prog_id 24 · fd_type 28 · probe_offset u64 32.
 */
export function eventProgram(pid: number, fd: number): EventProgram | number {
  const name = new Uint8Array(EVENT_NAME);
  const attr = new DataView(new ArrayBuffer(48));
  attr.setUint32(0, pid, true);
  attr.setUint32(4, fd, true);
  attr.setUint32(12, name.byteLength, true);
  attr.setBigUint64(16, BigInt(addressOf(name)), true);
  const result = bpf(TASK_FD_QUERY, keepAlive(new Uint8Array(attr.buffer), name));
  if (result < 0) return result;
  const [program, type] = [attr.getUint32(24, true), attr.getUint32(28, true)];
  return { program, type, name, offset: attr.getBigUint64(32, true) };
}

const [MAP_LOOKUP_ELEM, MAP_GET_NEXT_KEY] = [1, 4];

/**
 * The elements of a map, one after the other, with the same memory for each. struct bpf_attr: map_fd 0 · key u64 8 ·
 * value or next_key u64 16.
 */
export class MapElements {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly #next: Uint8Array;
  readonly #attr = new Fixed(new DataView(new ArrayBuffer(32)));
  readonly #addresses: { readonly key: bigint; readonly value: bigint; readonly next: bigint };

  /** Sizes are in bytes: that of values is what the kernel copies, which for values of processors is all of them. */
  constructor(
    readonly fd: number,
    keySize: number,
    valueSize: number,
  ) {
    this.key = new Uint8Array(keySize);
    this.#next = new Uint8Array(keySize);
    this.value = new Uint8Array(Math.ceil(valueSize / 8) * 8);
    const [key, value, next] = [this.key, this.value, this.#next].map((memory) => BigInt(addressOf(memory)));
    this.#addresses = { key: key!, value: value!, next: next! };
  }

  /** Writes the key after `key`, or the first one, to `key`. Returns 0 or a negative errno: ENOENT at the end. */
  advance(from: "first" | "key"): number {
    const error = this.#call(MAP_GET_NEXT_KEY, from === "first" ? 0n : this.#addresses.key, this.#addresses.next);
    if (error === 0) this.key.set(this.#next);
    return error;
  }

  /** Writes the value of `key` to `value`. Returns 0 or a negative errno: ENOENT if there is none. */
  lookUp(): number {
    return this.#call(MAP_LOOKUP_ELEM, this.#addresses.key, this.#addresses.value);
  }

  #call(command: number, key: bigint, second: bigint): number {
    const { memory, address } = this.#attr;
    memory.setUint32(0, this.fd, true);
    memory.setBigUint64(8, key, true);
    memory.setBigUint64(16, second, true);
    return syscall(NR.bpf, command, address, memory.byteLength);
  }
}

/** CLOCK_REALTIME and CLOCK_BOOTTIME of linux/time.h. */
const [REALTIME, BOOTTIME] = [0, 7];

/** When the machine booted, in nanoseconds since 1970: a program's load time counts from then. */
export function bootTime(): bigint {
  return clock(REALTIME) - clock(BOOTTIME);
}

/** In nanoseconds. struct timespec: seconds 0 · nanoseconds 8. */
function clock(id: number): bigint {
  const time = new BigInt64Array(2);
  syscall(NR.clock_gettime, id, time);
  return time[0]! * 1_000_000_000n + time[1]!;
}
