import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { available, keep, Unavailable } from "../../core/debian-archive.js";

/** Debian's trixie with systemd, without a kernel. */
export interface DebianRoot {
  /** An ext4 file system. */
  readonly image: string;
  /** The files of systemd that have BPF objects. */
  readonly objects: string;
}

const SYSTEMD = ["systemd", "systemd-sysv", "systemd-container", "udev"];
const PACKAGES = [...SYSTEMD, "dbus", "polkitd", "runc", "libbpf1", "busybox-static"];
/** Not of use in a guest. */
const LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];
const OBJECTS = [
  "usr/lib/*/systemd/libsystemd-core-*.so",
  "usr/lib/systemd/systemd-networkd",
  "usr/lib/systemd/systemd-nsresourced",
];

/** Made once, and kept. Returns the reason if it cannot be made on this machine. */
export function debianRoot(): DebianRoot | string {
  const kept = available(() => keep("guest-root_trixie-2", build));
  if (typeof kept === "string") return kept;
  return { image: join(kept.folder, "root.ext4"), objects: join(kept.folder, "objects") };
}

/** Takes minutes, and 200 MB. */
function build(folder: string): void {
  const root = join(folder, "root");
  must("mmdebstrap", [
    ...["--mode=root", "--variant=minbase", `--include=${PACKAGES.join(",")}`],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...["trixie", root],
  ]);
  mkdirSync(join(folder, "objects"));
  must("sh", ["-c", `cd "$0" && cp ${OBJECTS.join(" ")} "$1"`, root, join(folder, "objects")]);
  must("sh", ["-c", 'truncate -s 800M "$0" && mke2fs -q -F -t ext4 -d "$1" "$0"', join(folder, "root.ext4"), root]);
  rmSync(root, { recursive: true });
}

/** Throws Unavailable if the program is not there, or fails. */
export function must(program: string, words: readonly string[]): void {
  const ran = spawnSync(program, words, { encoding: "utf8" });
  if (ran.error !== undefined) throw new Unavailable(`needs ${program}`);
  if (ran.status !== 0) throw new Unavailable(`${program}: ${ran.stderr.trim().split("\n").at(-1)}`);
}
