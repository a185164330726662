import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { keep } from "../core/debian-archive.js";
import { type DebianKernel, packagesOf } from "../core/debian-kernels.js";
import { dependency, unpack } from "../unpacked.js";

/** A kernel that Debian built, unpacked. */
export class Kernel {
  readonly image: string;
  readonly config: Uint8Array;
  readonly #files: readonly string[];

  constructor(readonly folder: string) {
    this.#files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    // From Linux 7 on, packages have them beside the modules, without the release in their names.
    const boot = (name: string) =>
      this.#files.find((file) => new RegExp(`(?:^|/)(?:boot/${name}-|modules/[^/]+/${name}$)`).test(file));
    const [image, config] = [boot("vmlinuz"), boot("config")];
    if (image === undefined || config === undefined) throw new Error(`${folder} has no kernel`);
    this.image = join(folder, image);
    this.config = readFileSync(join(folder, config));
  }

  /** A module's file by its name, such as `dummy`, as it is when it is not compressed. */
  module(name: string): Uint8Array {
    const file = this.#pathOf(name);
    if (file === undefined) throw new Error(`the kernel has no module ${name}`);
    const path = join(this.folder, file);
    return path.endsWith(".xz") ? execFileSync("busybox", ["xzcat", path], { maxBuffer: 1 << 28 }) : readFileSync(path);
  }

  /** Whether it has the module as a file: not if it is built in. */
  has(name: string): boolean {
    return this.#pathOf(name) !== undefined;
  }

  /** These modules after those that they depend on, each once. What is built into the kernel is left out. */
  withDependencies(names: readonly string[]): ReadonlyMap<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    const seen = new Set<string>();
    const add = (name: string) => {
      if (seen.size === seen.add(name).size || this.#pathOf(name) === undefined) return;
      const bytes = this.module(name);
      for (const needed of dependenciesOf(bytes)) add(needed);
      found.set(name, bytes);
    };
    for (const name of names) add(name);
    return found;
  }

  #pathOf(name: string): string | undefined {
    const pattern = new RegExp(`/${name.replaceAll(/[-_]/g, "[-_]")}\\.ko(?:\\.xz)?$`);
    return this.#files.find((path) => pattern.test(path));
  }
}

/** `depends=` of a module's section .modinfo. */
function dependenciesOf(module: Uint8Array): string[] {
  const [, names = ""] = /\0depends=([\w,-]*)\0/.exec(Buffer.from(module).toString("latin1")) ?? [];
  return names.split(",").filter((name) => name !== "");
}

/**
 * The kernel that Debian's linux-image-amd64 stands for, fetched with apt-get where it is not there yet; or the reason
 * why it cannot be had.
 */
export function debianKernel(): Kernel | string {
  const name = dependency("linux-image-amd64", /^linux-image-\S+-amd64$/);
  if (name === null) return "needs Debian's linux-image-amd64";
  const unpacked = unpack(name);
  return typeof unpacked === "string" ? unpacked : new Kernel(unpacked.folder);
}

/** A kernel of one of Debian's suites with its modules; or the reason why it cannot be had. */
export function kernelOfSuite(name: DebianKernel): Kernel | string {
  const packages = packagesOf(name);
  if (typeof packages === "string") return packages;
  const files = [...packages.values()];
  const { folder } = keep(`unpacked_${basename(files.at(-1)!, ".deb")}`, (to) => {
    for (const file of files) execFileSync("dpkg-deb", ["-x", file, to]);
  });
  return new Kernel(folder);
}
