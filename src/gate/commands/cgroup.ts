import { readFileSync, statSync } from "node:fs";
import { openCgroup, readLink } from "../sys/file.js";
import { close } from "../sys/pidfd.js";
import type { FileIdentity } from "../threads/blocking-op.js";

/**
 * The path of a cgroup in the unified hierarchy, as `current.cgroup` has it, whatever mount its fd was opened through:
 * by the number of its inode, which is the cgroup's id (kernfs_id_ino of fs/kernfs). Null where the fd is of no such
 * cgroup, or this cannot be told.
 */
export function cgroupPath(file: FileIdentity | null): string | null {
  const mount = unifiedMount();
  if (mount === null || file === null) return null;
  const { ino, dev } = file;
  if (dev !== statSync(mount, { bigint: true }).dev) return null;
  const found = openCgroup(mount, ino);
  if (found < 0) return null;
  const path = readLink(`/proc/thread-self/fd/${found}`);
  close(found);
  if (path === null || !path.startsWith(mount)) return null;
  return path.slice(mount.length) || "/";
}

let mounted: string | null | undefined;

/**
 * Where the gate has the unified hierarchy: `36 25 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw` of
 * /proc/self/mountinfo.
 */
function unifiedMount(): string | null {
  if (mounted === undefined) {
    const line = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((one) => / - cgroup2 /.test(one) && one.split(" ")[3] === "/");
    mounted = line?.split(" ")[4] ?? null;
  }
  return mounted;
}
