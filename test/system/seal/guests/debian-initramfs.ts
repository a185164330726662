import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { available, keep } from "../../core/debian-archive.js";
import { must } from "./debian-root.js";

/** Initramfs images of dracut, by what leaves them, and the options with which dracut makes them. */
const IMAGES = {
  "dracut, by switch_root": [],
  "dracut, by systemd": ["--add", "systemd-initrd dracut-systemd"],
} as const;

/** Ways to leave the initramfs as Debian's packages do. */
export type DracutImage = keyof typeof IMAGES;
export const DRACUT_IMAGES = Object.keys(IMAGES) as readonly DracutImage[];

/** What Debian's packages put into an initramfs. */
export interface DebianInitramfs {
  /** An initramfs without modules. */
  readonly image: (name: DracutImage) => Uint8Array;
  /** run-init of klibc-utils, and the library that it names as its interpreter, by their paths. */
  readonly runInit: Readonly<Record<string, Uint8Array>>;
}

/** Made once, and kept. Returns the reason if it cannot be made on this machine. */
export function debianInitramfs(): DebianInitramfs | string {
  const kept = available(() => keep("guest-initramfs_trixie-1", build));
  if (typeof kept === "string") return kept;
  const read = (...path: readonly string[]) => readFileSync(join(kept.folder, ...path));
  const runInit = read("klibc", "run-init");
  // /lib or /usr/lib, as the version of klibc-utils has it
  const [interpreter = ""] = /\/[\w/]+\/klibc-[\w-]+\.so/.exec(runInit.toString("latin1")) ?? [];
  const library = read("klibc", basename(interpreter));
  return {
    image: (name) => read(`${name}.img`),
    runInit: { "lib/run-init": runInit, [interpreter.slice(1)]: library },
  };
}

/** Takes a minute. */
function build(folder: string): void {
  const root = join(folder, "root");
  const packages = ["dracut-core", "klibc-utils", "kmod", "systemd", "udev"];
  must("mmdebstrap", ["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`, "trixie", root]);
  for (const [name, options] of Object.entries(IMAGES)) {
    const made = "/tmp/initramfs.img";
    const words = ["dracut", "--force", "--no-kernel", "--no-hostonly", "--gzip", "--kver", "none"];
    must("chroot", [root, ...words, ...options, made]);
    cpSync(join(root, made), join(folder, `${name}.img`));
  }
  mkdirSync(join(folder, "klibc"));
  const libraries = readdirSync(join(root, "usr/lib")).filter((name) => /^klibc-.*\.so$/.test(name));
  for (const file of ["klibc/bin/run-init", ...libraries])
    cpSync(join(root, "usr/lib", file), join(folder, "klibc", file.split("/").at(-1)!));
  rmSync(root, { recursive: true });
}
