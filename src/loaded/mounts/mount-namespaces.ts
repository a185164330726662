import type { Reads } from "../reads/reads.js";
import { namespaceRead, textRead } from "../reads/values.js";
import { type MountPoint, mountPoints } from "./mount-points.js";

/** One mount namespace, by a process that is in it. */
export interface MountNamespace {
  /** Its inode number; null for that of this process. */
  readonly number: number | null;
  /** Where the root folder of the process is, without a slash at its end. */
  readonly root: string;
  /** The text of its mountinfo. */
  readonly mountinfo: string;
}

/** The mount namespaces that processes are in; that of this process is the first. */
export function mountNamespaces(reads: Reads, pids: readonly number[]): readonly MountNamespace[] {
  const own = namespaceRead(reads, "self", "mnt");
  const found = new Map<number, string>([[own, "/proc/self"]]);
  for (const pid of pids) {
    const number = namespaceRead(reads, pid, "mnt");
    // kernel threads and processes that exit have none
    if (number !== 0 && !found.has(number)) found.set(number, `/proc/${pid}`);
  }
  return [...found].map(([number, place]) => ({
    number: number === own ? null : number,
    root: `${place}/root`,
    mountinfo: textRead(reads, `${place}/mountinfo`, "latin1") ?? "",
  }));
}

/** The mounts of a type in a mount namespace. */
export function mountsOf({ mountinfo }: MountNamespace, type: string): readonly MountPoint[] {
  return mountPoints(mountinfo, type);
}
