import { hash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Config, MapConfig } from "../../config/config.js";
import type { KeyringConfig } from "../../config/keyring.js";
import { rulesOf } from "../../config/keyring-files.js";
import { readMapFile } from "../../config/mapfile.js";
import { readInput } from "../../input.js";
import type { Exploration } from "../explorer/exploration.js";
import type { Doubt } from "../shared/doubt.js";

/** Facts about a program that depend on the folders of signatures, or on `gate.keyrings`. */
const OF_SIGNATURES = /\.(?:signature|statements|mismatches)\b/;
const OF_KERNEL_KEYRINGS = /\.kernel_keyring\b/;

/**
 * What two configurations define otherwise under the same name, so that policies which do the same can decide
 * differently: an exploration has one symbol for both.
 */
export class DefinitionChanges {
  readonly #keyrings: readonly string[];
  readonly #maps: readonly string[];
  readonly #otherFolders: boolean;
  readonly #otherKernelKeyrings: boolean;

  constructor(
    private readonly old: Config,
    its: Config,
  ) {
    this.#keyrings = changed(old.keyrings, its.keyrings, sameKeyring);
    this.#maps = changed(old.maps, its.maps, sameMap);
    const isSameFolders = isDeepStrictEqual(old.signatures, its.signatures);
    this.#otherFolders =
      !isSameFolders && !isSame(() => [old, its].map(({ signatures }) => signatures.map(contentsOf)));
    this.#otherKernelKeyrings = !isDeepStrictEqual(old.gate.keyrings, its.gate.keyrings);
  }

  /** Whether everything is defined in the same way. */
  get isNone(): boolean {
    const isAny = this.#otherFolders || this.#otherKernelKeyrings;
    return !isAny && this.#keyrings.length === 0 && this.#maps.length === 0;
  }

  /** Why decisions can differ although the policies of both do the same on all paths. */
  doubtsIn({ origins, symbols }: Exploration): readonly Doubt[] {
    const all = [...origins.values()];
    const used = all.flatMap((origin) => ("keyring" in origin ? [origin.keyring] : []));
    const read = all.flatMap((origin) => (origin.kind === "lookup" ? [origin.map] : []));
    const reads = (facts: RegExp) => [...symbols.keys()].some((name) => facts.test(name));
    return [
      ...this.#keyrings.filter((name) => used.includes(name)).map((name) => `the keyring \`${name}\` is another one`),
      ...this.#maps.filter((name) => read.includes(name)).map((name) => `the map \`${name}\` has other contents`),
      ...(this.#otherFolders && (used.length > 0 || reads(OF_SIGNATURES)) ? ["the signatures are other ones"] : []),
      ...(this.#otherKernelKeyrings && reads(OF_KERNEL_KEYRINGS) ? ["`gate.keyrings` is another one"] : []),
    ].map((what) => ({ why: `${what} than in ${this.old.file}: compared as if it were the same`, place: null }));
  }
}

interface Named {
  readonly name: string;
}

/** The names that both have, and that do not mean the same. */
function changed<T extends Named>(
  old: readonly T[],
  its: readonly T[],
  same: (one: T, other: T) => boolean,
): readonly string[] {
  return its.flatMap((one) => {
    const before = old.find(({ name }) => name === one.name);
    return before === undefined || same(before, one) ? [] : [one.name];
  });
}

function sameKeyring(one: KeyringConfig, other: KeyringConfig): boolean {
  return isSame(() => [one, other].map((keyring) => withoutPaths(rulesOf(keyring))));
}

function sameMap(one: MapConfig, other: MapConfig): boolean {
  // What programs and policies write to a map is any content
  if (one.writable !== null && other.writable !== null) return true;
  if (one.writable !== null || other.writable !== null) return false;
  return isSame(() => [one, other].map(({ file }) => (file === null ? {} : readMapFile(file))));
}

/** Whether two values are the same; false if they cannot be read. */
function isSame(read: () => readonly unknown[]): boolean {
  try {
    const [one, other] = read();
    return isDeepStrictEqual(one, other);
  } catch {
    return false;
  }
}

/** A keyring's rules with the digest of each file in place of its path and bytes. */
function withoutPaths(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPaths);
  if (typeof value !== "object" || value === null) return value;
  if ("bytes" in value) return hash("sha256", value.bytes as Uint8Array);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutPaths(one)]));
}

/** The names and digests of the files in a folder of signatures. Throws FILE_UNREADABLE, and what readdir(2) throws. */
function contentsOf(folder: string): readonly (readonly [name: string, sha256: string])[] {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((one) => !one.isDirectory());
  const names = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort();
  return names.map((name) => [name, hash("sha256", readInput(join(folder, name)))] as const);
}
