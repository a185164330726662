import { existsSync } from "node:fs";
import {
  bundleFile,
  giveInstalled,
  type InstalledFile,
  type InstalledFiles,
  keepInstalled,
  readShared,
} from "../../installed.js";

/** A script of the bundle, with V8's code cache for it if there is one. */
export interface ImageScript extends InstalledFile {
  readonly cache: Uint8Array | null;
}

/** The code and data that a thread needs, in memory: it reads no file when it starts. Plain data. */
export interface ThreadImage {
  readonly script: ImageScript;
  /** Paths of native modules that this process has loaded already, so that the dynamic linker opens no file. */
  readonly natives: Readonly<Record<string, string>>;
  /**
   * Files of the installation that the script needs; null for the first thread, which reads them and sends them to the
   * main thread.
   */
  readonly installed: InstalledFiles | null;
}

/** Reads a script of the bundle and its code cache. bin/load.js builds the cache's file name in the same way. */
export function readImageScript(name: string): ImageScript {
  const file = readShared(bundleFile(`${name}.cjs`));
  const cache = file.path.replace(/cjs$/, `${process.versions.v8}-${process.arch}.cache`);
  return { ...file, cache: existsSync(cache) ? readShared(cache).bytes : null };
}

/** Has this thread, which was started from an image, read no files of the installation but those of the image. */
export function startFrom(image: ThreadImage | null): void {
  if (image === null) return;
  if (image.installed === null) keepInstalled();
  else giveInstalled(image.installed);
}

/**
 * The code that a worker evaluates to run its image. It wraps the script as bin/load.js does, since V8's code cache is
 * only valid for the same text. The script can require only node's built-in modules.
 */
export const BOOT = `
const { isBuiltin } = require("node:module");
const { dirname } = require("node:path");
const { Script } = require("node:vm");
const { path, bytes, cache } = require("node:worker_threads").workerData.image.script;
const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
const builtin = (name) => {
  if (isBuiltin(name)) return require(name);
  throw new Error("an image cannot require " + name);
};
const script = new Script("(function (exports, require, module, __filename, __dirname) {" + text + "\\n})", {
  filename: path,
  ...(cache === null ? {} : { cachedData: cache }),
});
const main = { exports: {} };
script.runInThisContext()(main.exports, builtin, main, path, dirname(path));
`;
