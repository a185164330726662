import { hash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { MapConfig } from "../../config/config.js";
import type { KeyringConfig } from "../../config/keyring.js";
import { rulesOf } from "../../config/keyring-files.js";
import { readMapFile } from "../../config/mapfile.js";
import { mapWriters, type NamingAttachment } from "../../engine/load/map-writers.js";
import type { HookName } from "../../hooks/catalogue.js";
import { readInput } from "../../input.js";
import type { Exploration } from "../explorer/exploration.js";
import type { Doubt } from "../shared/doubt.js";
import { knownMap } from "../shared/known-maps.js";
import type { LoadedAttachments } from "../witness/loaded-attachments.js";

/** Facts about a program that depend on the folders of signatures, or on `gate.keyrings`. */
const OF_SIGNATURES = /\.(?:signature|statements|mismatches)\b/;
const OF_KERNEL_KEYRINGS = /\.kernel_keyring\b/;

/**
 * What two configurations define otherwise under the same name, so that policies which do the same can decide
 * differently: an exploration has one symbol for both.
 */
export class DefinitionChanges {
  readonly #keyrings: readonly string[];
  /** For each map that differs: what of it does. */
  readonly #maps: ReadonlyMap<string, string>;
  readonly #otherFolders: boolean;
  readonly #otherKernelKeyrings: boolean;

  constructor(
    private readonly old: LoadedAttachments,
    private readonly its: LoadedAttachments,
  ) {
    const [before, now] = [old.config, its.config];
    this.#keyrings = named(before.keyrings, now.keyrings)
      .filter(([one, other]) => !sameKeyring(one, other))
      .map(([, { name }]) => name);
    this.#maps = new Map(
      named(before.maps, now.maps).flatMap(([one, other]) => {
        // The exploration has the contents of both: nothing of them is taken to be the same
        if ([old, its].every(({ names }) => knownMap(names.known ?? {}, one.name).contents !== undefined)) return [];
        const differs = MAP_PARTS.filter(([, same]) => !same(one, other, old, its)).map(([words]) => words);
        return differs.length === 0 ? [] : [[one.name, differs.join(", and ")]];
      }),
    );
    const isSameFolders = isDeepStrictEqual(before.signatures, now.signatures);
    this.#otherFolders =
      !isSameFolders && !isSame(() => [before, now].map(({ signatures }) => signatures.map(contentsOf)));
    this.#otherKernelKeyrings = !isDeepStrictEqual(before.gate.keyrings, now.gate.keyrings);
  }

  /** Whether everything is defined in the same way. */
  get isNone(): boolean {
    const isAny = this.#otherFolders || this.#otherKernelKeyrings;
    return !isAny && this.#keyrings.length === 0 && this.#maps.size === 0;
  }

  /** Why decisions at a hook can differ although the policies of both do the same on all paths. */
  doubtsIn({ origins, symbols }: Exploration, hook: HookName): readonly Doubt[] {
    const all = [...origins.values()];
    const used = all.flatMap((origin) => ("keyring" in origin ? [origin.keyring] : []));
    const read = all.flatMap((origin) => (origin.kind === "lookup" ? [origin.map] : []));
    // The answer of a write has no map: the maps that the policies name are those that they may write to.
    const written = [...this.old.at(hook), ...this.its.at(hook)].flatMap(({ policy }) =>
      policy.names.flatMap(({ kind, name, helper }) => (kind === "map" && helper !== "map_lookup" ? [name] : [])),
    );
    const reads = (facts: RegExp) => [...symbols.keys()].some((name) => facts.test(name));
    return [
      ...this.#keyrings.filter((name) => used.includes(name)).map((name) => `the keyring \`${name}\` is another one`),
      ...[...this.#maps]
        .filter(([name]) => read.includes(name) || written.includes(name))
        .map(([name, differs]) => `the map \`${name}\` has ${differs}`),
      ...(this.#otherFolders && (used.length > 0 || reads(OF_SIGNATURES)) ? ["the signatures are other ones"] : []),
      ...(this.#otherKernelKeyrings && reads(OF_KERNEL_KEYRINGS) ? ["`gate.keyrings` is another one"] : []),
    ].map((what) => ({ why: `${what} than in ${this.old.config.file}: compared as if it were the same`, place: null }));
  }
}

interface Named {
  readonly name: string;
}

/** Those that both have, in pairs. */
function named<T extends Named>(old: readonly T[], its: readonly T[]): readonly (readonly [old: T, its: T])[] {
  return its.flatMap((one) => {
    const before = old.find(({ name }) => name === one.name);
    return before === undefined ? [] : [[before, one] as const];
  });
}

function sameKeyring(one: KeyringConfig, other: KeyringConfig): boolean {
  return isSame(() => [one, other].map((keyring) => withoutPaths(rulesOf(keyring))));
}

type SameMap = (one: MapConfig, other: MapConfig, old: LoadedAttachments, its: LoadedAttachments) => boolean;

/** What two maps of one name must have in common for look-ups and writes to give the same. */
const MAP_PARTS: readonly (readonly [words: string, same: SameMap])[] = [
  [
    // What policies write comes on top of these.
    "other contents",
    (one, other) => isSame(() => [one, other].map(({ file }) => (file === null ? {} : readMapFile(file)))),
  ],
  ["another schema", (one, other) => isSame(() => [one, other].map(({ schema = {} }) => schema))],
  ["another `writable`", (one, other) => isDeepStrictEqual(one.writable, other.writable)],
  ["other `writers`", sameWriters],
];

/** Whether each attachment that both have may write to both maps, and has the same share of them. */
function sameWriters(one: MapConfig, other: MapConfig, old: LoadedAttachments, its: LoadedAttachments): boolean {
  return isSame(() => {
    const [before, now] = [mapWriters(one, naming(old)), mapWriters(other, naming(its))];
    const common = named(old.config.attachments, its.config.attachments).map(([{ name }]) => name);
    return [before, now].map(({ as, count }) => [
      count,
      // The name of a map's only writer makes no difference.
      common.map((name) => (count === 1 ? as.has(name) : (as.get(name) ?? null))),
    ]);
  });
}

function naming({ placed }: LoadedAttachments): readonly NamingAttachment[] {
  return placed.map(({ attachment: { name, domain }, policy: { names } }) => ({ name, domain, names }));
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
