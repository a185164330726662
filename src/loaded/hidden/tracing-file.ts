import type { Raw, Reads } from "../reads/reads.js";

/** Where the file system of ftrace is: mounted by itself, or below that for debugging (tracefs of the kernel). */
const FOLDERS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

/** A file of ftrace as `read` reads it at a path: the first result that is no errno, else that of the last path. */
export function tracingFile(reads: Reads, name: string, read: (reads: Reads, path: string) => Raw): Raw {
  let result: Raw = 0;
  for (const folder of FOLDERS) {
    result = read(reads, `${folder}/${name}`);
    if (typeof result !== "number") break;
  }
  return result;
}
