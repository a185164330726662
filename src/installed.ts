import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { CountersignError } from "./error.js";

/** A file of a package, or of the bundle. */
export interface InstalledFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** By name: a package's specifier, or a file of the bundle behind `bundle:`. Plain data in shared memory. */
export type InstalledFiles = ReadonlyMap<string, InstalledFile>;

const require = createRequire(import.meta.url);
/** Null for a thread that reads files when it needs them, and keeps none. */
let kept: Map<string, InstalledFile> | null = null;
let complete = false;

/** Has this thread keep the files that it reads, for the threads that come after it. */
export function keepInstalled(): void {
  kept = new Map();
}

/** The files that this thread has read. It can read no others from now on. */
export function completeInstalled(): InstalledFiles {
  complete = true;
  return kept ?? new Map();
}

/** Gives this thread all files that it can read: nothing is looked up in the file system. */
export function giveInstalled(files: InstalledFiles): void {
  kept = new Map(files);
  complete = true;
}

/** A file of the installation. Throws INTERNAL if it is missing, or if it should have been read before. */
export function installed(name: string): InstalledFile {
  const known = kept?.get(name);
  if (known !== undefined) return known;
  if (complete)
    throw new CountersignError("INTERNAL", `\`${name}\` was not read before the command started`, {
      remedy: "report this, with the configuration",
    });
  const path = name.startsWith(BUNDLE) ? bundleFile(name.slice(BUNDLE.length)) : require.resolve(name);
  if (kept === null) return { path, bytes: readFileSync(path) };
  const file = readShared(path);
  kept.set(name, file);
  return file;
}

/** What begins the name of a file of the bundle. */
export const BUNDLE = "bundle:";

/**
 * Runs a script of the installation, which may require node's own modules alone, anew at each call. Returns its
 * exports.
 */
export function runInstalled(name: string): unknown {
  const { path, bytes } = installed(name);
  const module = { exports: {} };
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${textOf(bytes)}\n})`;
  new Script(wrapped, { filename: path }).runInThisContext()(module.exports, builtin, module, path, dirname(path));
  return module.exports;
}

export function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
}

/**
 * The path of a file of the bundle: beside the bundle's other files, one folder up from its chunks; or, for tests, in
 * the bundle of this source. Throws INTERNAL.
 */
export function bundleFile(name: string): string {
  for (const folder of ["./", "../", "../dist/"]) {
    const file = fileURLToPath(new URL(`${folder}${name}`, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new CountersignError("INTERNAL", `\`${name}\` is missing from the bundle`, { remedy: "run `npm run build`" });
}

/** A file in memory that threads share. */
export function readShared(path: string): InstalledFile {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(fstatSync(fd).size));
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(fd, bytes, length, bytes.length - length, length);
      if (count === 0) break;
      length += count;
    }
    return { path, bytes: bytes.subarray(0, length) };
  } finally {
    closeSync(fd);
  }
}

function builtin(name: string): unknown {
  if (isBuiltin(name)) return require(name);
  throw new CountersignError("INTERNAL", `a script of the installation requires \`${name}\``, {
    remedy: "install the packages as package-lock.json has them",
  });
}
