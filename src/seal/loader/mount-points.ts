/** The directories on which the file system with the pins of a late seal, and those below it, are mounted. */
import { readFileSync } from "node:fs";

/** BPF_MOUNT of loader/files.c. */
const PINS_MOUNT = "/sys/fs/bpf";

/** A mount point whose mounts the kernel can detach without asking the guard. */
export interface WeakMountPoint {
  readonly path: string;
  /** The type of the file system that the directory is of. */
  readonly fileSystem: string;
}

/**
 * File systems that never find by themselves that a directory in use is gone: d_invalidate() of fs/dcache.c detaches
 * the mounts on one that `d_revalidate` rejects, and calls no hook. Those of a network, of a user process (FUSE) and of
 * layers (overlay) are not here, nor those of which it is not known. sysfs has `d_revalidate`, which rejects what the
 * kernel removed; it never removes fs/bpf (sysfs_create_mount_point() in kernel/bpf/inode.c).
 */
const KEEPING: ReadonlySet<string> = new Set([
  ...["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "erofs", "squashfs"],
  ...["rootfs", "ramfs", "tmpfs", "devtmpfs", "sysfs"],
]);

interface Mount {
  readonly id: string;
  readonly parent: string;
  readonly path: string;
  readonly type: string;
}

/** Those of this machine; none if the file system of the pins is not found. */
export function weakMountPoints(mountinfo = readFileSync("/proc/self/mountinfo", "utf8")): readonly WeakMountPoint[] {
  const mounts = mountsOf(mountinfo);
  const weak: WeakMountPoint[] = [];
  let mount = mounts.findLast(({ path }) => path === PINS_MOUNT);
  while (mount !== undefined) {
    const { path, parent, id } = mount;
    const below = mounts.find((other) => other.id === parent && other.id !== id);
    if (below !== undefined && !KEEPING.has(below.type)) weak.push({ path, fileSystem: below.type });
    mount = below;
  }
  return weak;
}

/** proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields, `-`, type, … */
function mountsOf(mountinfo: string): readonly Mount[] {
  return mountinfo
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [before = "", after = ""] = line.split(" - ");
      const [id = "", parent = "", , , path = ""] = before.split(" ");
      return { id, parent, path, type: after.split(" ")[0] ?? "" };
    });
}
