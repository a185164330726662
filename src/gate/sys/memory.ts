import { addressOf, Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Bytes of one page on x86-64: a copy that is split there tells how far the target's memory reaches. */
export const PAGE = 4096;

/** So many bytes of a task, from an address. */
export interface Span {
  readonly address: bigint;
  readonly length: number;
}

/** Spans that one call copies. */
const MOST_SPANS = 4;

/**
 * Copies spans out of a task, one after the other; null where not all of their bytes are there. It can block for as long as the
 * target likes (userfaultfd, FUSE), and then only the target's death ends it: the caller stands under the watcher's deadline.
 */
export function readMemory(tid: number, spans: readonly Span[]): Uint8Array | null {
  if (spans.length > MOST_SPANS) throw new RangeError(`${spans.length} spans`);
  let length = 0;
  for (let index = 0; index < spans.length; index += 1) {
    const span = spans[index]!;
    vectors[2 + 2 * index] = span.address;
    vectors[3 + 2 * index] = BigInt(span.length);
    length += span.length;
  }
  const bytes = roomFor(length);
  return transfer(NR.process_vm_readv, tid, bytes, spans.length) === length ? bytes : null;
}

/** Memory to be written whole before it is read: what is small shares an allocation with others, since each takes a while. */
export function roomFor(length: number): Uint8Array<ArrayBuffer> {
  if (length > SMALL) return new Uint8Array(length);
  const { buffer, byteOffset } = Buffer.allocUnsafe(length) as Buffer<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, length); // a Buffer's own slice would be no copy
}

const SMALL = 256;

/** Copies bytes into a task. True where all were taken. Blocks as {@link readMemory} does. */
export function writeMemory(tid: number, address: bigint, from: Uint8Array): boolean {
  return from.byteLength === 0 || transferOne(NR.process_vm_writev, tid, address, from) === from.byteLength;
}

/**
 * Reads a string that ends with a NUL, as strncpy_from_user does: at most `limit` bytes before it, null where memory ends
 * first. The bytes come without the NUL; `limit` of them mean that there was none.
 */
export function readString(tid: number, address: bigint, limit: number): Uint8Array | null {
  const bytes = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const part = bytes.subarray(length, length + onPage(address + BigInt(length), limit - length));
    if (transferOne(NR.process_vm_readv, tid, address + BigInt(length), part) !== part.byteLength) return null;
    const end = part.indexOf(0);
    if (end >= 0) return bytes.subarray(0, length + end);
    length += part.byteLength;
  }
  return bytes;
}

/** Of so many bytes from an address, those on its page: they are there all or none. */
export function onPage(address: bigint, length: number): number {
  return Math.min(length, PAGE - Number(address & BigInt(PAGE - 1)));
}

/** struct iovec, of 16 bytes: one for here, and those for there. */
const { memory: vectors, address: HERE } = new Fixed(new BigUint64Array(2 + 2 * MOST_SPANS));
const THERE = HERE + 16;

function transferOne(call: number, tid: number, address: bigint, memory: Uint8Array): number {
  vectors[2] = address;
  vectors[3] = BigInt(memory.byteLength);
  return transfer(call, tid, memory, 1);
}

function transfer(call: number, tid: number, memory: Uint8Array, spans: number): number {
  vectors[0] = BigInt(addressOf(memory));
  vectors[1] = BigInt(memory.byteLength);
  return syscall(call, tid, HERE, 1, THERE, spans, 0);
}
