import { addressOf, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** Bytes of one page on x86-64: a copy that is split there tells how far the target's memory reaches. */
const PAGE = 4096;

/**
 * Copies `into.byteLength` bytes out of a task. True where all were there. It can block for as long as the target likes
 * (userfaultfd, FUSE), and then only the target's death ends it: the caller stands under the watcher's deadline.
 */
export function readMemory(tid: number, address: bigint, into: Uint8Array): boolean {
  return into.byteLength === 0 || transfer(NR.process_vm_readv, tid, address, into) === into.byteLength;
}

/** Copies bytes into a task. True where all were taken. Blocks as {@link readMemory} does. */
export function writeMemory(tid: number, address: bigint, from: Uint8Array): boolean {
  return from.byteLength === 0 || transfer(NR.process_vm_writev, tid, address, from) === from.byteLength;
}

/**
 * Reads a string that ends with a NUL, as strncpy_from_user does: at most `limit` bytes before it, null where memory ends
 * first. The bytes come without the NUL; `limit` of them mean that there was none.
 */
export function readString(tid: number, address: bigint, limit: number): Uint8Array | null {
  const bytes = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const toPageEnd = PAGE - Number((address + BigInt(length)) & BigInt(PAGE - 1));
    const part = bytes.subarray(length, Math.min(limit, length + toPageEnd));
    if (transfer(NR.process_vm_readv, tid, address + BigInt(length), part) !== part.byteLength) return null;
    const end = part.indexOf(0);
    if (end >= 0) return bytes.subarray(0, length + end);
    length += part.byteLength;
  }
  return bytes;
}

/** struct iovec twice: here, and there. */
const vectors = new BigUint64Array(4);
const remoteVector = vectors.subarray(2);

function transfer(call: number, tid: number, address: bigint, memory: Uint8Array): number {
  vectors[0] = BigInt(addressOf(memory));
  vectors[1] = BigInt(memory.byteLength);
  vectors[2] = BigInt.asUintN(64, address);
  vectors[3] = BigInt(memory.byteLength);
  return syscall(call, tid, vectors, 1, remoteVector, 1, 0);
}
