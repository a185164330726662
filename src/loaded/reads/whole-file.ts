import { closeSync, openSync, readSync } from "node:fs";

/** Bytes for a file of unknown size, as all of /proc and /sys are: most are shorter. */
const ROOM = 1 << 16;
const scratch = Buffer.allocUnsafeSlow(ROOM);

/**
 * The bytes of a file that says no size. The kernel gives at most a page of a long one at a time: `readFileSync` takes
 * new memory for each part, 16 times as much as is read, which its caller then has to wait for. Throws as node:fs.
 */
export function wholeFile(path: string): Buffer {
  const fd = openSync(path, "r");
  try {
    let [memory, length]: [Buffer, number] = [scratch, 0];
    for (;;) {
      const count = readSync(fd, memory, length, memory.length - length, null);
      if (count === 0) break;
      length += count;
      if (length === memory.length) memory = withRoom(memory);
    }
    return memory === scratch ? Buffer.from(memory.subarray(0, length)) : memory.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

function withRoom(memory: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(2 * memory.length);
  memory.copy(larger);
  return larger;
}
