import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { CountersignError } from "../../../error.js";
import { compressionOf, decompressed, joined } from "../compression/compression.js";
import { btfOfModule, type ModuleBtf, type ModuleRequest, moduleNameOf } from "../modules/module-btf.js";
import { FileSource, MemorySource } from "../source/byte-source.js";
import { tooLarge } from "../source/kernel-error.js";
import { filesOfPackage } from "./debian-package.js";

/** Limits in bytes: for one module, decompressed, and for the compressed modules of a package together. */
const MAX_MODULE = 256 * 1024 * 1024;
const MAX_COMPRESSED = 512 * 1024 * 1024;
/** Limit in bytes for the BTF of all modules. Debian's have 60 MB. */
const MAX_ALL = 512 * 1024 * 1024;

/**
 * The BTF of the modules in a kernel's package, in the order of their names. From Linux 7 on, Debian has the modules in
 * a package of their own, which is read if it is in the same folder. Throws KERNEL_MALFORMED, KERNEL_UNSUPPORTED,
 * FILE_TOO_LARGE, FILE_UNREADABLE.
 */
export async function modulesOfPackage(
  path: string,
  release: string,
  request: ModuleRequest,
): Promise<readonly ModuleBtf[]> {
  const own = await modulesIn(path, request);
  if (own !== null) return own;
  const beside = packageOfModules(path, release);
  return beside === null ? [] : ((await modulesIn(beside, request)) ?? []);
}

/** The packages of which {@link modulesOfPackage} reads one: the kernel's, and that of its modules beside it. */
export function packagesWithModules(path: string, release: string): readonly string[] {
  try {
    const beside = packageOfModules(path, release);
    return beside === null ? [path] : [path, beside];
  } catch (error) {
    // If its package has no modules, reading them reports that the folder cannot be listed.
    if (error instanceof CountersignError) return [path];
    throw error;
  }
}

/** Throws FILE_UNREADABLE. */
function packageOfModules(path: string, release: string): string | null {
  try {
    return packageBeside(path, `linux-modules-${release}_`);
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be listed: ${(cause as NodeJS.ErrnoException).code}`, {
      place: dirname(path),
      remedy: "copy the packages into a folder that you can list",
      cause,
    });
  }
}

/** Null if there are no modules in the package, requested or not. */
async function modulesIn(path: string, { wants, step }: ModuleRequest): Promise<readonly ModuleBtf[] | null> {
  const file = new FileSource(path);
  try {
    const found = new Found(path);
    // The decoder of xz decompresses one stream at a time, so compressed modules wait for the end of the package.
    const compressed: { readonly name: string; readonly place: string; readonly bytes: Uint8Array }[] = [];
    let size = 0;
    let modules = 0;
    for await (const entry of filesOfPackage(file)) {
      const name = moduleNameOf(entry.path);
      if (name === null) continue;
      modules += 1;
      if (!wants(name)) continue;
      const bytes = await entry.read(MAX_MODULE);
      const place = `${path}: ${entry.path}`;
      if (compressionOf(bytes) === null) {
        step(name);
        found.add(btfOfModule(name, new MemorySource(place, bytes)));
        continue;
      }
      size += bytes.length;
      if (size > MAX_COMPRESSED) throw tooLarge(path, MAX_COMPRESSED);
      compressed.push({ name, place, bytes });
    }
    for (const { name, place, bytes } of compressed) {
      step(name);
      const module = await joined(decompressed(compressionOf(bytes)!, [bytes], MAX_MODULE, place));
      found.add(btfOfModule(name, new MemorySource(place, module)));
    }
    return modules === 0 ? null : found.sorted();
  } finally {
    file.close();
  }
}

class Found {
  readonly #modules: ModuleBtf[] = [];
  #size = 0;

  constructor(private readonly place: string) {}

  add(module: ModuleBtf | null): void {
    if (module === null) return;
    this.#size += module.btf.length;
    if (this.#size > MAX_ALL) throw tooLarge(`${this.place}: BTF of its modules`, MAX_ALL);
    this.#modules.push(module);
  }

  sorted(): readonly ModuleBtf[] {
    return this.#modules.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** The package in the same folder whose file name begins so; null if there is none. */
function packageBeside(path: string, start: string): string | null {
  const folder = dirname(path);
  const name = readdirSync(folder)
    .sort()
    .findLast((each) => each.startsWith(start) && each.endsWith(".deb"));
  return name === undefined ? null : join(folder, name);
}
