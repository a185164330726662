import { createHash } from "node:crypto";
import { MAX_INPUT, readInput } from "../../input.js";
import { compressionOf, decompressed, joined } from "../kernel/compression/compression.js";
import { writeModuleNames } from "../kernel/modules/module-names.js";
import { ModuleTree } from "../kernel/modules/module-tree.js";
import { counter } from "../output/progress.js";
import type { SeenModule } from "./module-learner.js";

/** The modules of a log by their names. */
export interface LearntModules {
  /** In the order of the names. */
  readonly names: readonly string[];
  /** Digests that no module of their kernel has. */
  readonly unknown: readonly string[];
}

/**
 * Finds modules by their digests in the root directory of the machine. Throws FILE_UNREADABLE if it does not have the
 * modules of a kernel in the log, and the errors of decompressing a module.
 */
export async function learntModules(
  seen: readonly SeenModule[],
  root: string,
  release: string,
): Promise<LearntModules> {
  const names = new Set<string>();
  const unknown = new Set<string>();
  for (const each of new Set(seen.map((module) => module.release ?? release))) {
    const digests = new Set(seen.filter((one) => (one.release ?? release) === each).map(({ digest }) => digest));
    for (const name of await namesOf(digests, new ModuleTree(root, each))) names.add(name);
    for (const digest of digests) unknown.add(digest);
  }
  return { names: [...names].sort(), unknown: [...unknown].sort() };
}

/** The file for `seal build --modules`. */
export function learntModulesFile({ names }: LearntModules): string {
  return writeModuleNames("Modules that `countersign learn` found in records of a guard", namesOnly(names));
}

function namesOnly(names: readonly string[]) {
  return names.map((name) => ({ name, why: "" }));
}

/**
 * The modules that have one of the digests, which are removed. Files are compared as they are first: modules are only
 * decompressed if a digest is left, since that takes a minute for all of a kernel.
 */
async function namesOf(digests: Set<string>, tree: ModuleTree): Promise<readonly string[]> {
  const found: string[] = [];
  const bar = await counter(`modules of ${tree.release}`);
  for (const digestOf of [digestOfFile, digestOfContents])
    for (const name of tree.index.names) {
      if (digests.size === 0) break;
      bar.step(name);
      const digest = await digestOf(tree.fileOf(name)!);
      if (digest !== null && digests.delete(digest)) found.push(name);
    }
  bar.stop();
  return found;
}

async function digestOfFile(file: string): Promise<string> {
  return sha256(readInput(file));
}

/** Null if the file is not compressed. */
async function digestOfContents(file: string): Promise<string | null> {
  const bytes = readInput(file);
  const compression = compressionOf(bytes);
  if (compression === null) return null;
  return sha256(await joined(decompressed(compression, [bytes], MAX_INPUT * 4, file)));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
