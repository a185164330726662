import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A kernel that Debian built, unpacked: its image, and its modules as they are when they are not compressed. */
export interface Kernel {
  readonly image: string;
  /** A module's file by its name, such as `dummy`. */
  module(name: string): Uint8Array;
}

/** Where it is kept between runs: 500 MB that take a while to fetch. */
const KEPT = process.env.COUNTERSIGN_GUEST ?? join(tmpdir(), "countersign-guest");

/**
 * The kernel that Debian's linux-image-amd64 stands for, fetched with apt-get where it is not there yet. Null, with a reason,
 * where it cannot be had.
 */
export function debianKernel(): Kernel | string {
  const name = packageName();
  if (name === null) return "needs Debian's linux-image-amd64";
  const folder = join(KEPT, name);
  if (!existsSync(folder)) {
    const fetched = fetch(name, folder);
    if (fetched !== null) return fetched;
  }
  const boot = readdirSync(join(folder, "boot")).find((file) => file.startsWith("vmlinuz-"));
  if (boot === undefined) return `${name} has no kernel`;
  return { image: join(folder, "boot", boot), module: (module) => readModule(folder, module) };
}

function packageName(): string | null {
  const depends = spawnSync("apt-cache", ["depends", "linux-image-amd64"], { encoding: "utf8" }).stdout ?? "";
  return /Depends: (linux-image-\S+-amd64)/.exec(depends)?.[1] ?? null;
}

function fetch(name: string, folder: string): string | null {
  const work = `${folder}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const download = spawnSync("apt-get", ["download", "-qq", name], { cwd: work, encoding: "utf8" });
  const archive = readdirSync(work).find((file) => file.endsWith(".deb"));
  if (archive === undefined) return `${name} cannot be fetched: ${download.stderr.trim().split("\n").at(-1)}`;
  execFileSync("dpkg-deb", ["-x", archive, "."], { cwd: work });
  rmSync(join(work, archive));
  renameSync(work, folder);
  return null;
}

function readModule(folder: string, name: string): Uint8Array {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const file = files.find((path) => path.endsWith(`/${name}.ko.xz`) || path.endsWith(`/${name}.ko`));
  if (file === undefined) throw new Error(`the kernel has no module ${name}`);
  const path = join(folder, file);
  return path.endsWith(".xz") ? execFileSync("busybox", ["xzcat", path], { maxBuffer: 1 << 28 }) : readFileSync(path);
}
