import { describe, expect, it } from "vitest";
import { weakMountPoints } from "../../../../src/seal/loader/mount-points.js";

/** Of a machine whose root is of this type, with options of its own, and other mounts in between. */
const mountinfo = (root: string): string => `\
21 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ${root} /dev/vda rw
32 21 0:29 / /sys/fs/bpf rw,nosuid shared:11 - bpf bpf rw,mode=700
40 28 0:40 / /mnt/has\\040space rw master:3 propagate_from:2 - fuse.sshfs host: rw
`;

describe("the mount points of the pins", () => {
  it.for(["ext4", "xfs", "btrfs", "tmpfs", "rootfs"])("are kept by the guard on %s", (type) => {
    expect(weakMountPoints(mountinfo(type))).toEqual([]);
  });

  it.for(["fuse.sshfs", "nfs4", "9p", "overlay", "ceph", "cifs", "unknown"])("are weak on %s", (type) => {
    expect(weakMountPoints(mountinfo(type))).toEqual([{ path: "/sys", fileSystem: type }]);
  });

  it("are those of the last mount, if there are two", () => {
    const twice = `${mountinfo("ext4")}50 40 0:50 / /sys/fs/bpf rw - bpf bpf rw\n`;
    expect(weakMountPoints(twice)).toEqual([{ path: "/sys/fs/bpf", fileSystem: "fuse.sshfs" }]);
  });

  it("are not known if nothing is mounted", () => {
    expect(weakMountPoints("28 1 254:0 / / rw - nfs4 server:/ rw\n")).toEqual([]);
  });

  it("of a root that has no parent end there", () => {
    const own = "1 1 0:2 / / rw - rootfs rootfs rw\n5 1 0:5 / /sys/fs/bpf rw - bpf bpf rw\n";
    expect(weakMountPoints(own)).toEqual([]);
  });
});
