import { closeSync, openSync, readSync } from "node:fs";
import { type KernelMemory, kernelMemory, type ReadAt } from "./kernel-memory.js";

const CORE = "/proc/kcore";

/** Reads the memory of the running kernel; `unread` is told why that is not possible. */
export function withKernelMemory<T>(read: (memory: KernelMemory) => T, unread: (reason: string) => T): T {
  let fd: number;
  try {
    fd = openSync(CORE, "r");
  } catch (error) {
    return unread(`the kernel's memory cannot be read: ${(error as Error).message}`);
  }
  try {
    const memory = kernelMemory(reader(fd));
    return memory === null ? unread(`the kernel's memory cannot be read: no headers in ${CORE}`) : read(memory);
  } finally {
    closeSync(fd);
  }
}

/** What cannot be read, such as memory that is not mapped, is null. */
function reader(fd: number): ReadAt {
  return (offset, length) => {
    const bytes = new Uint8Array(length);
    try {
      return readSync(fd, bytes, 0, length, offset) === length ? bytes : null;
    } catch {
      return null;
    }
  };
}
