import type { KnownProgram } from "./known-program.js";
import type { KnownSource } from "./known-source.js";

/** A map of a configuration, by its keys. */
export interface KnownList {
  readonly file: string;
  readonly entries: Readonly<Record<string, unknown>>;
}

/**
 * The programs of lists that `countersign list` writes: from a digest to programs with their name and type. What they
 * do and which maps they refer to is not known. Other maps have none.
 */
export function listedPrograms(lists: Iterable<KnownList>): KnownSource {
  return function* () {
    for (const { file, entries } of lists)
      for (const [digest, value] of Object.entries(entries)) {
        if (!/^[0-9a-f]{64}$/.test(digest)) continue;
        for (const entry of Array.isArray(value) ? value : [value]) {
          const program = listed(entry as Entry | null, file, digest);
          if (program !== null) yield program;
        }
      }
  };
}

interface Entry {
  readonly name?: unknown;
  readonly type?: unknown;
}

function listed(entry: Entry | null, file: string, digest: string): KnownProgram | null {
  if (entry === null || typeof entry !== "object") return null;
  const { name, type } = entry;
  if (typeof name !== "string" || typeof type !== "string") return null;
  return {
    ...({ source: "list", file, offset: null, package: null } as const),
    ...{ name, type, attachType: null, license: null, digest, tag: null, references: null, insns: null },
    ...{ flags: 0, functions: null },
  };
}
