/** A container of runc. */
export interface RuncContainer {
  /** Its root directory, which it cannot write. */
  readonly root: string;
  /** Path of its cgroup, which is the root of its cgroup namespace. */
  readonly cgroup: string;
  /** Those of its root. */
  readonly capabilities: readonly string[];
  /** Files of the machine that it has at the same paths. */
  readonly passed: readonly string[];
  readonly command: readonly string[];
  /** What sh does outside when cgroup and namespaces are there, and the command does not run yet. */
  readonly created: string;
}

/** The text of its config.json (OCI runtime specification 1.0). */
export function containerConfig({ root, cgroup, capabilities, passed, command, created }: RuncContainer): string {
  const mount = (type: string, destination: string, ...options: readonly string[]) => ({
    ...{ type, source: type, destination, options },
  });
  return JSON.stringify({
    ociVersion: "1.0.2",
    process: {
      ...{ terminal: false, user: { uid: 0, gid: 0 }, args: command, cwd: "/", env: ["PATH=/usr/sbin:/usr/bin"] },
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: root, readonly: true },
    mounts: [
      ...[mount("proc", "/proc"), mount("tmpfs", "/dev"), mount("tmpfs", "/run"), mount("tmpfs", "/tmp")],
      ...[mount("sysfs", "/sys", "ro"), mount("cgroup", "/sys/fs/cgroup", "ro")],
      ...passed.map((path) => ({ ...mount("bind", path, "bind"), source: path })),
    ],
    hooks: { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", created] }] },
    linux: {
      cgroupsPath: cgroup,
      namespaces: ["pid", "network", "ipc", "uts", "mount", "cgroup"].map((type) => ({ type })),
    },
  });
}
