import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { dependency, unpack } from "../unpacked.js";

/** A kernel that Debian built, unpacked: its image, and its modules as they are when they are not compressed. */
export interface Kernel {
  readonly image: string;
  /** A module's file by its name, such as `dummy`. */
  module(name: string): Uint8Array;
}

/**
 * The kernel that Debian's linux-image-amd64 stands for, fetched with apt-get where it is not there yet; or the reason
 * why it cannot be had.
 */
export function debianKernel(): Kernel | string {
  const name = dependency("linux-image-amd64", /^linux-image-\S+-amd64$/);
  if (name === null) return "needs Debian's linux-image-amd64";
  const unpacked = unpack(name);
  if (typeof unpacked === "string") return unpacked;
  const { folder } = unpacked;
  const boot = readdirSync(join(folder, "boot")).find((file) => file.startsWith("vmlinuz-"));
  if (boot === undefined) return `${name} has no kernel`;
  return { image: join(folder, "boot", boot), module: (module) => readModule(folder, module) };
}

function readModule(folder: string, name: string): Uint8Array {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const file = files.find((path) => path.endsWith(`/${name}.ko.xz`) || path.endsWith(`/${name}.ko`));
  if (file === undefined) throw new Error(`the kernel has no module ${name}`);
  const path = join(folder, file);
  return path.endsWith(".xz") ? execFileSync("busybox", ["xzcat", path], { maxBuffer: 1 << 28 }) : readFileSync(path);
}
