import { fstatSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { openFile } from "../../sys/file.js";
import { syscall } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import { type MountNamespace, mountsOf } from "../mounts/mount-namespaces.js";
import type { Reads } from "../reads/reads.js";
import { namespaceRead } from "../reads/values.js";

/** The number in the target of a link to a network namespace, or in the root of its mount; null for other texts. */
export function netnsNumber(text: string): number | null {
  const number = /^net:\[(\d+)\]$/.exec(text)?.[1];
  return number === undefined ? null : Number(number);
}

/**
 * The paths by which network namespaces can be opened, by their inode numbers: of processes, of mounts
 * (`ip netns add`), and of descriptors, of which `held` has the paths. That of this process is the first.
 */
export function networkNamespaces(
  reads: Reads,
  pids: readonly number[],
  mounts: readonly MountNamespace[],
  held: ReadonlyMap<number, string>,
): ReadonlyMap<number, string> {
  const found = new Map([[namespaceRead(reads, "self", "net"), "/proc/self/ns/net"]]);
  const add = (number: number | null, path: string) => {
    if (number !== null && number !== 0 && !found.has(number)) found.set(number, path);
  };
  for (const pid of pids) add(namespaceRead(reads, pid, "net"), `/proc/${pid}/ns/net`);
  for (const namespace of mounts)
    for (const { root, path } of mountsOf(namespace, "nsfs")) add(netnsNumber(root), `${namespace.root}${path}`);
  for (const [number, path] of held) add(number, path);
  return found;
}

/**
 * Opens a network namespace. Returns an fd, which the caller closes; a negative errno if the path no longer leads to
 * it. A link in another root folder can lead elsewhere, so that the inode number is compared.
 */
export function openNetns(number: number, path: string): number {
  const fd = openFile(path);
  if (fd < 0 || fstatSync(fd).ino === number) return fd;
  syscall(NR.close, fd);
  return -ERRNO.ENOENT;
}
