import { syscall } from "./libc.js";
import { NR } from "./numbers.js";

const AT_FDCWD = -100;

/** The path that is asked for, and what comes of it: each is used up before the next call. */
const path = Buffer.alloc(64);
const link = Buffer.alloc(64);

/**
 * The inode number of a task's namespace, which is its link's name: `net:[4026531840]` (namespaces(7)). 0, which is nobody's,
 * where that cannot be told. `task` is a thread's id as the caller counts them.
 */
export function namespaceOf(task: number | "self", kind: string): number {
  path[path.write(`/proc/${task}/ns/${kind}`, "latin1")] = 0;
  const length = syscall(NR.readlinkat, AT_FDCWD, path, link, link.byteLength);
  let number = 0;
  for (let at = kind.length + 2; at < length - 1; at += 1) number = 10 * number + link[at]! - DIGIT_ZERO;
  return number;
}

const DIGIT_ZERO = 0x30;
