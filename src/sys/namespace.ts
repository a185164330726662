import { Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const AT_FDCWD = -100;

/**
 * The paths of the last task's namespaces, by kind. They are cached because most calls come from the same task as the
 * last one.
 */
const paths = new Map<string, Fixed<Buffer>>();
let whose: number | "self" = "self";
/** Buffer for the link's target; valid until the next call. */
const { memory: link, address: LINK } = new Fixed(Buffer.alloc(64));

/**
 * Returns the inode number of a task's namespace, from a link target such as `net:[4026531840]` (namespaces(7)); 0,
 * which is no inode number, on failure. `task` is a thread id in the gate's pid namespace.
 */
export function namespaceOf(task: number | "self", kind: string): number {
  return namespaceNumber(
    link,
    kind,
    syscall(NR.readlinkat, AT_FDCWD, pathOf(task, kind).address, LINK, link.byteLength),
  );
}

/** The number in a link target of this length; 0 if the length is a negative errno. */
export function namespaceNumber(target: Uint8Array, kind: string, length: number): number {
  let number = 0;
  for (let at = kind.length + 2; at < length - 1; at += 1) number = 10 * number + target[at]! - DIGIT_ZERO;
  return number;
}

const DIGIT_ZERO = 0x30;

function pathOf(task: number | "self", kind: string): Fixed<Buffer> {
  if (task !== whose) {
    paths.clear();
    whose = task;
  }
  let path = paths.get(kind);
  if (path === undefined) {
    path = new Fixed(Buffer.from(`/proc/${task}/ns/${kind}\0`, "latin1"));
    paths.set(kind, path);
  }
  return path;
}
