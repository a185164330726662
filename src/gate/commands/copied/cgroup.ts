import { readFileSync, statSync } from "node:fs";
import { openCgroup, readLink } from "../../../sys/file.js";
import { close } from "../../../sys/pidfd.js";
import type { FileIdentity } from "../../task/blocking/blocking-op.js";

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

let mounted: string | undefined;

/**
 * Returns the mount point of the unified hierarchy in the gate's mount namespace, or else in that of the first process:
 * the root directory of the agent of a sealed machine is in no mount namespace. Null if it is not mounted.
 */
function unifiedMount(): string | null {
  mounted ??= mountIn("/proc/self/mountinfo") ?? mountIn("/proc/1/mountinfo") ?? undefined;
  return mounted ?? null;
}

/** The mount point in a line such as `36 25 0:31 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`. */
function mountIn(file: string): string | null {
  const line = textOf(file)
    .split("\n")
    .find((one) => / - cgroup2 /.test(one) && one.split(" ")[3] === "/");
  return line?.split(" ")[4] ?? null;
}

/** Empty if this user may not read it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
