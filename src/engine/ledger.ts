import type { MapConfig } from "../config/config.js";
import { readMapFile } from "../config/mapfile.js";
import type { Answer } from "../hooks/decision.js";
import type { MapWrite } from "../policy/map.js";
import type { Texts } from "./sources.js";

/** What an attachment wrote. */
export interface Commit {
  readonly attachment: string;
  readonly writes: readonly MapWrite[];
}

/** What of a decision counts here. */
export interface Written {
  readonly answers: readonly Pick<Answer, "attachment" | "mode" | "writes">[];
}

/**
 * Every map write that threads have committed, by the latest to each key: what a new thread repeats to have the maps of those
 * before it. All enforcing attachments write to the same map, and each one in audit to an overlay of its own.
 */
export class Ledger {
  /** By map and key, then by who wrote: an attachment in audit, or the empty name for the map itself. */
  readonly #latest = new Map<string, Map<string, { attachment: string; write: MapWrite }>>();
  /** Maps in which a new thread finds nothing: what was deleted there need not be deleted again. */
  readonly #empty: ReadonlySet<string>;
  /** Files of the others, and how many writes are kept before what their files do not have is forgotten as well. */
  readonly #files: ReadonlyMap<string, string>;
  #sweepAt = SWEEP;

  /** `texts`: of the files, as a new thread is given them. */
  constructor(
    maps: readonly Pick<MapConfig, "name" | "file">[] = [],
    private readonly texts: () => Texts = () => new Map(),
  ) {
    this.#empty = new Set(maps.filter(({ file }) => file === null).map(({ name }) => name));
    this.#files = new Map(maps.flatMap(({ name, file }) => (file === null ? [] : [[name, file]])));
  }

  record({ answers }: Written): void {
    for (const { attachment, mode, writes } of answers) {
      for (const write of writes) {
        const key = JSON.stringify([write.map, write.key]);
        const its = this.#latest.get(key) ?? new Map();
        this.#latest.set(key, its);
        its.set(mode === "audit" ? attachment : "", { attachment, write });
        if (this.#empty.has(write.map)) forget(its);
        if (its.size === 0) this.#latest.delete(key);
      }
    }
    if (this.#latest.size > this.#sweepAt) this.#sweep();
  }

  /** Keys that came and went, and that a new thread will not find in a file. */
  #sweep(): void {
    const files = new Map([...this.#files].map(([map, file]) => [map, keysOf(file, this.texts().get(file))]));
    for (const [key, its] of this.#latest) {
      const [map, name] = JSON.parse(key) as [string, string];
      if (files.get(map)?.has(name) === false) forget(its);
      if (its.size === 0) this.#latest.delete(key);
    }
    this.#sweepAt = SWEEP + 2 * this.#latest.size;
  }

  commits(): readonly Commit[] {
    return [...this.#latest.values()].flatMap((its) =>
      [...its.values()].map(({ attachment, write }) => ({ attachment, writes: [write] })),
    );
  }
}

/** Null for a file whose text is not known: nothing of it is forgotten. */
function keysOf(file: string, text: string | undefined): ReadonlySet<string> | null {
  return text === undefined ? null : new Set(Object.keys(readMapFile(file, text)));
}

/** Writes that are kept before it is looked at what of them is needed. */
const SWEEP = 4096;

/** Of a key that was in no file: where the map itself has it no more, nor need it be deleted for anybody. */
function forget(its: Map<string, { write: MapWrite }>): void {
  if ((its.get("")?.write.value ?? null) !== null) return;
  for (const [who, { write }] of its) if (write.value === null) its.delete(who);
}
