import { join } from "node:path";
import type { Machine } from "./machine.js";
import type { Site } from "./site.js";

/** Words that run a command by podman and crun in a machine, in a folder as its root, under a seccomp profile. */
export function podmanWords(
  site: Site,
  machine: Machine,
  profile: string,
  annotations: Readonly<Record<string, string>>,
  command: readonly string[],
): readonly [string, ...string[]] {
  // what it would set lies in /proc/sys, which a machine of a test leaves alone
  const config = site.write(
    "containers.conf",
    '[containers]\ndefault_sysctls = []\n[engine]\nevents_logger = "none"\n',
  );
  const store = ["--root", join(site.folder, "podman"), "--runroot", "/run/podman-test", "--storage-driver", "vfs"];
  const podman = ["env", `CONTAINERS_CONF=${config}`, "podman", ...store, "--cgroup-manager", "cgroupfs"];
  const plain = ["--network", "none", "--cgroups", "disabled", "--cap-add", "CAP_BPF,CAP_SYS_ADMIN,CAP_NET_ADMIN"];
  return machine.words(
    ...[...podman, "--runtime", "crun", "run", "-i", "--rm", ...plain, "--security-opt", `seccomp=${profile}`],
    ...[...annotationFlags(annotations), "--rootfs", join(site.folder, "rootfs"), ...command],
  );
}

export function annotationFlags(annotations: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(annotations).flatMap(([key, value]) => ["--annotation", `${key}=${value}`]);
}
