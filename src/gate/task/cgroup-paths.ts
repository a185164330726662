import { readFileSync, statSync } from "node:fs";
import { LruCache } from "../../lru-cache.js";

/** Number of cgroups whose paths are kept. */
const MAX_PATHS = 1024;

/**
 * Paths of cgroups in the unified hierarchy, by their ids (struct pidfd_info). A cgroup of this hierarchy keeps its
 * path as long as it exists, since only the hierarchies of version 1 have a rename (kernfs_iop_rename and
 * cgroup1_rename of the kernel), and the id of a removed cgroup is not used again.
 */
export class CgroupPaths {
  readonly #paths = new LruCache<number, string>(MAX_PATHS);

  /**
   * The path of the cgroup with this id. `read` reads the path from the task, which may have moved to another cgroup
   * since its id was read: a path is kept only if the file system has the same id for it.
   */
  of(id: number | null, read: () => string | null): string | null {
    const known = id === null ? undefined : this.#paths.get(id);
    if (known !== undefined) return known;
    const path = read();
    if (id !== null && path !== null && hasId(path, id)) this.#paths.set(id, path);
    return path;
  }
}

/** Whether the inode number of this cgroup, which is its id (kernfs_id_ino of the kernel), is `id`. */
function hasId(path: string, id: number): boolean {
  const mount = unifiedMount();
  if (mount === null) return false;
  try {
    const { ino, dev } = statSync(`${mount}${path}`, { bigint: true });
    return ino === BigInt(id) && dev === statSync(mount, { bigint: true }).dev;
  } catch {
    return false;
  }
}

let mounted: string | undefined;

/**
 * Returns the mount point of the unified hierarchy in the gate's mount namespace, or else in that of the first process:
 * the root directory of the agent of a sealed machine is in no mount namespace. Null if it is not mounted.
 */
export function unifiedMount(): string | null {
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
