import { describe, expect, it } from "vitest";
import { mountPoints } from "../../../../src/loaded/mounts/mount-points.js";
import { cgroupOwner } from "../../../../src/loaded/references/cgroup-owner.js";
import { describedObject, isBpfObject } from "../../../../src/loaded/references/descriptor.js";

describe("a descriptor", () => {
  it("is asked for its id only if its link names a program, map or link", () => {
    for (const kind of ["bpf-prog", "bpf-map", "bpf_link", "bpf-link"])
      expect(isBpfObject(`anon_inode:${kind}`)).toBe(true);
    for (const other of [
      "anon_inode:[eventfd]",
      "anon_inode:btf",
      "/tmp/anon_inode:bpf-prog",
      "anon_inode:bpf-prog (deleted)",
    ])
      expect(isBpfObject(other)).toBe(false);
  });

  it("has the id of its own kind: that of a link is not that of its program", () => {
    expect(describedObject("pos:\t0\nprog_type:\t1\nprog_id:\t37\n")).toEqual({ kind: "program", id: 37 });
    expect(describedObject("map_type:\t1\nmap_id:\t5\nfrozen:\t0\n")).toEqual({ kind: "map", id: 5 });
    expect(describedObject("link_type:\tcgroup\nlink_id:\t2\nprog_tag:\tab\nprog_id:\t37\n")).toEqual({
      kind: "link",
      id: 2,
    });
  });

  it("has no object without an id", () => {
    for (const text of ["", "pos:\t0\n", "prog_id:\t0\n", "prog_id:\t99999999999\n", "prog_id:\t-1\n"])
      expect(describedObject(text)).toBeNull();
  });
});

describe("a cgroup", () => {
  const ID = "0123456789abcdef".repeat(4);

  it.each([
    ["0::/system.slice/ssh.service\n", "ssh.service", null],
    ["0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope", null],
    ["0::/\n", null, null],
    ["9:name=systemd:/system.slice/cron.service\n8:pids:/\n0::/\n", "cron.service", null],
    [`0::/system.slice/docker-${ID}.scope\n`, `docker-${ID}.scope`, ID],
    [`0::/machine.slice/libpod-${ID}.scope/container\n`, `libpod-${ID}.scope`, ID],
    [`0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${ID}.scope\n`, `cri-containerd-${ID}.scope`, ID],
    [`0::/docker/${ID}\n`, null, ID],
    [`0::/docker/${"f".repeat(64)}/docker/${ID}\n`, null, ID],
    [`0::/system.slice/x-${ID.slice(1)}.service\n`, `x-${ID.slice(1)}.service`, null],
    ["", null, null],
  ])("%j belongs to its unit and container", (text, unit, container) => {
    expect(cgroupOwner(text)).toEqual({ unit, container });
  });
});

describe("the BPF file systems of a mountinfo", () => {
  it("are those of type bpf, with and without optional fields", () => {
    const text = `25 1 0:22 / /sys rw - sysfs sysfs rw
36 25 0:31 / /sys/fs/bpf rw,nosuid shared:9 master:2 - bpf bpf rw,mode=700
37 25 0:32 /tc /run/my\\040pins rw - bpf none rw
38 25 0:33 / /bpf rw - tmpfs bpf rw
`;
    expect(mountPoints(text, "bpf")).toEqual([
      { path: "/sys/fs/bpf", device: "0:31", root: "/" },
      { path: "/run/my pins", device: "0:32", root: "/tc" },
    ]);
  });

  it("leave out what has another form", () => {
    expect(mountPoints("\n- bpf\n1 2 x / /a rw - bpf b rw\n1 2 0:3 / /a rw bpf b rw\n1 2 0:3 - - bpf", "bpf")).toEqual(
      [],
    );
  });
});
