import { readSync } from "node:fs";

/**
 * Fills memory from a position of a file: one read(2) can return less. Returns what was read, which is shorter if the
 * file ends before. Throws what read(2) throws.
 */
export function readFull<Bytes extends Uint8Array>(fd: number, bytes: Bytes, position: number): Bytes {
  let length = 0;
  while (length < bytes.length) {
    const count = readSync(fd, bytes, length, bytes.length - length, position + length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length) as Bytes;
}
