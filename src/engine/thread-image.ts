import { existsSync } from "node:fs";
import { bundleFile, type InstalledFile, type InstalledFiles, readShared } from "../installed.js";

/** A script of the bundle, with V8's code cache of it if there is one. */
export interface ImageScript extends InstalledFile {
  readonly cache: Uint8Array | null;
}

/** All that a thread runs, in memory: nothing of it is read from the file system when the thread starts. Plain data. */
export interface ThreadImage {
  readonly script: ImageScript;
  /**
   * Paths by which native modules are loaded, which this process has loaded already: the dynamic linker opens none of
   * them.
   */
  readonly natives: Readonly<Record<string, string>>;
  /**
   * What the script reads of the installation; null for the first thread, which reads it from the file system and hands
   * it on.
   */
  readonly installed: InstalledFiles | null;
}

/** Reads a script of the bundle, and its code cache, whose name bin/load.js makes in the same way. */
export function readImageScript(name: string): ImageScript {
  const file = readShared(bundleFile(`${name}.cjs`));
  const cache = file.path.replace(/cjs$/, `${process.versions.v8}-${process.arch}.cache`);
  return { ...file, cache: existsSync(cache) ? readShared(cache).bytes : null };
}

/**
 * What a worker evaluates to run its image: the wrapping of bin/load.js, which V8's code cache is made for. The script
 * can require node's own modules alone.
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
