import { closeSync, existsSync, fstatSync, openSync, readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { CountersignError } from "./error.js";
import { readFull } from "./read-full.js";

/** A file of an installed package or of the bundle. */
export interface InstalledFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files by name: a package's specifier, or `bundle:` and a file of the bundle. Plain data in shared memory. */
export type InstalledFiles = ReadonlyMap<string, InstalledFile>;

const require = createRequire(import.meta.url);
/** The files that this thread has read or was given; null if it reads files on demand and keeps none. */
let kept: Map<string, InstalledFile> | null = null;
let complete = false;

/** From now on this thread keeps the files that it reads, so that they can be given to later threads. */
export function keepInstalled(): void {
  kept = new Map();
}

/** Returns the files that this thread has read. From now on it can read no others. */
export function completeInstalled(): InstalledFiles {
  complete = true;
  return kept ?? new Map();
}

/** Gives this thread the only files that it can read. It no longer looks anything up in the file system. */
export function giveInstalled(files: InstalledFiles): void {
  kept = new Map(files);
  complete = true;
}

/** Returns a file of the installation. Throws INTERNAL if it is missing, or was not read before `completeInstalled`. */
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

/** The prefix of a name that denotes a file of the bundle. */
export const BUNDLE = "bundle:";

/**
 * Runs a script of the installation and returns its exports. Each call runs it anew. The script can require only
 * built-in modules of node.
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

/** Files of the bundle that the build only copies, and where they are when tests run from source. */
const COPIED: Readonly<Record<string, string>> = {
  "strip-types.cjs": "../node_modules/@swc/wasm-typescript/wasm.js",
  "seal/guard.bpf.o": "./seal/guard/guard.bpf.o",
  "seal/loader.bin": "./seal/loader/loader.bin",
  "seal/attacks.bin": "./seal/attacks/attacks.bin",
};

/**
 * The path of a file of the bundle: in the folder of this module, in its parent for a chunk, or, when the tests run
 * from source, where the build copies it from, or in dist/. Throws INTERNAL if it is missing.
 */
export function bundleFile(name: string): string {
  for (const path of [`./${name}`, `../${name}`, COPIED[name], `../dist/${name}`]) {
    if (path === undefined) continue;
    const file = fileURLToPath(new URL(path, import.meta.url));
    if (existsSync(file)) return file;
  }
  throw new CountersignError("INTERNAL", `\`${name}\` is missing from the bundle`, { remedy: "run `npm run build`" });
}

/** Reads a file into a SharedArrayBuffer, which threads share without a copy. */
export function readShared(path: string): InstalledFile {
  const fd = openSync(path, "r");
  try {
    const bytes = new Uint8Array(new SharedArrayBuffer(fstatSync(fd).size));
    return { path, bytes: readFull(fd, bytes, 0) };
  } finally {
    closeSync(fd);
  }
}

function builtin(name: string): unknown {
  if (isBuiltin(name)) return require(name);
  throw new CountersignError("INTERNAL", `a script of the installation requires \`${name}\``, {
    remedy: "install the versions of package-lock.json with `npm ci`",
  });
}
