import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { available, keep, Unavailable } from "../core/debian-archive.js";
import { type Done, done } from "../gate/site.js";

/** What the package depends on, and what its tests run. */
const PACKAGES = ["nodejs", "bpftool", "systemd"];

/** What dpkg, apt and systemd themselves change: files, and folders with what is in them. */
const THEIR_OWN = [
  ...["./var/lib/dpkg", "./var/lib/apt", "./var/cache", "./var/log/dpkg.log", "./var/log/apt", "./var/log/journal"],
  ...["./etc/.updated", "./var/.updated", "./tmp/.X11-unix", "./tmp/.ICE-unix", "./tmp/.XIM-unix", "./tmp/.font-unix"],
];
const isTheirs = (path: string) => THEIR_OWN.some((one) => path === one || path.startsWith(`${one}/`));

/** Debian's trixie with few packages, in a folder in which commands run on this kernel. */
export class Chroot {
  private constructor(readonly root: string) {}

  /** A fresh one, or the reason why there can be none. Its files are fetched once and kept. */
  static make(): Chroot | string {
    if (process.getuid?.() !== 0) return "needs root";
    const kept = available(rootArchive);
    if (typeof kept === "string") return kept;
    const root = mkdtempSync(join(tmpdir(), "countersign-package-"));
    execFileSync("tar", ["-xf", kept.archive, "-C", root]);
    execFileSync("chmod", ["755", root]);
    return new Chroot(root);
  }

  /** The words that run a command inside, in root's home, with mounts of its own. */
  words(...command: readonly string[]): readonly [string, ...string[]] {
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INSIDE, this.root, ...command];
  }

  run(...command: readonly string[]): Done {
    return done(this.words(...command));
  }

  path(path: string): string {
    return join(this.root, path);
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text);
  }

  /** Copies a file of this machine into the folder /root. Returns its path inside. */
  bring(file: string): string {
    const name = join("/root", file.slice(file.lastIndexOf("/") + 1));
    copyFileSync(file, this.path(name));
    return name;
  }

  /** All paths, in ascending order, without what dpkg, apt and systemd change. */
  files(): readonly string[] {
    const found = spawnSync("find", [".", "-xdev"], { cwd: this.root, encoding: "utf8", maxBuffer: 1 << 28 });
    return found.stdout
      .split("\n")
      .filter((path) => path !== "" && !isTheirs(path))
      .sort();
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Nothing of the environment of the tests. */
export const ENVIRONMENT =
  "PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive";

const INSIDE = `set -e
mount -t proc proc "$0/proc"
mount --rbind /sys "$0/sys"
mount --rbind /dev "$0/dev"
mount -t bpf bpf "$0/sys/fs/bpf"
exec env -i ${ENVIRONMENT} chroot "$0" sh -c 'cd "$HOME" && exec "$@"' sh "$@"`;

/** The archive of such a folder, which is fetched once and kept. Throws Unavailable. */
export function rootArchive(): { readonly archive: string } {
  return { archive: join(keep("package-root_trixie-2", fetch).folder, "root.tar") };
}

/** Takes a minute, and 300 MB. */
function fetch(folder: string): void {
  const words = ["--mode=root", "--variant=minbase", `--include=${PACKAGES.join(",")}`, "trixie"];
  const made = spawnSync("mmdebstrap", [...words, join(folder, "root.tar")], { encoding: "utf8" });
  if (made.error !== undefined) throw new Unavailable("needs mmdebstrap");
  if (made.status !== 0) throw new Unavailable(`mmdebstrap: ${made.stderr.trim().split("\n").at(-1)}`);
}
