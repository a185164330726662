import { statSync } from "node:fs";
import { openCgroup, readLink } from "../../../sys/file.js";
import { close } from "../../../sys/pidfd.js";
import type { FileIdentity } from "../../task/blocking/blocking-op.js";
import { unifiedMount } from "../../task/cgroup-paths.js";

/**
 * Returns the path of a cgroup in the unified hierarchy, in the form of `current.cgroup`. The cgroup is found by its
 * inode number, which is its id (kernfs_id_ino of include/linux/kernfs.h), so the mount through which its fd was opened
 * does not matter. Returns null if the file is not a cgroup of that hierarchy, or its path is unknown.
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
