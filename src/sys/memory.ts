import { addressOf, Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Size of a page on x86-64 in bytes. Memory is readable page by page. */
export const PAGE = 4096;

/** A range of a task's memory. */
export interface Span {
  readonly address: bigint;
  readonly length: number;
}

/** Maximum number of spans in one call. */
const MOST_SPANS = 4;

/**
 * Copies spans of a task's memory into one array, in order; null if not all bytes can be read. The task can make this
 * block for any time (userfaultfd, FUSE), and then only killing the task ends it. So the watcher limits how long the
 * caller may block.
 */
export function readMemory(tid: number, spans: readonly Span[], room: Room = roomFor): Uint8Array | null {
  if (spans.length > MOST_SPANS) throw new RangeError(`${spans.length} spans`);
  let length = 0;
  for (let index = 0; index < spans.length; index += 1) {
    const span = spans[index]!;
    vectors[2 + 2 * index] = span.address;
    vectors[3 + 2 * index] = BigInt(span.length);
    length += span.length;
  }
  const bytes = room(length);
  return transfer(NR.process_vm_readv, tid, bytes, spans.length) === length ? bytes : null;
}

/** Allocates so many bytes to read into. */
export type Room = (length: number) => Uint8Array;

/**
 * Allocates memory that is not zeroed if it is small: overwrite all of it before reading. Small allocations come from
 * node's buffer pool, because separate ones are slow, and begin at a multiple of 8. What is kept for long must be a
 * copy, or it keeps the whole pool.
 */
export function roomFor(length: number): Uint8Array<ArrayBuffer> {
  if (length > SMALL) return new Uint8Array(length);
  const { buffer, byteOffset } = Buffer.allocUnsafe(length) as Buffer<ArrayBuffer>;
  return new Uint8Array(buffer, byteOffset, length); // a plain Uint8Array, because slice() of a Buffer does not copy
}

const SMALL = 1024;

/** Writes bytes to a task's memory. Returns false if not all were written. Can block like {@link readMemory}. */
export function writeMemory(tid: number, address: bigint, from: Uint8Array): boolean {
  return from.byteLength === 0 || transferOne(NR.process_vm_writev, tid, address, from) === from.byteLength;
}

/**
 * Reads a string that ends with a NUL, like strncpy_from_user of the kernel. Returns the bytes before the NUL; if there
 * are `limit` bytes, no NUL was found. Returns null if the readable memory ends first.
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

/**
 * Returns how many of `length` bytes from an address are on the page of that address. Either all or none of them can be
 * read.
 */
export function onPage(address: bigint, length: number): number {
  return Math.min(length, PAGE - Number(address & BigInt(PAGE - 1)));
}

/** struct iovec, 16 bytes each: one for the gate's memory, then those for the task's. */
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
