import type { MapConfig } from "../../config/config.js";
import { readMapFile } from "../../config/mapfile.js";
import type { Answer } from "../../hooks/decision.js";
import type { MapWrite } from "../../policy/maps/map.js";
import type { FileSnapshot } from "../load/file-cache.js";

/** Map writes of an attachment. */
export interface Commit {
  readonly attachment: string;
  readonly writes: readonly MapWrite[];
}

/** The part of a decision that is recorded here. */
export interface Written {
  readonly answers: readonly Pick<Answer, "attachment" | "mode" | "writes">[];
}

/**
 * The committed map writes of all decision threads, only the last one to each key. A new thread repeats them to have
 * the same map contents. All enforcing attachments write to the shared map; each attachment in audit writes to an
 * overlay of its own.
 */
export class CommittedWrites {
  /** Keyed by map and key, then by attachment for a write in audit, or by the empty name for the shared map. */
  readonly #latest = new Map<string, Map<string, { attachment: string; write: MapWrite }>>();
  /** Maps without a file: a new thread starts them empty, so deletions need not be repeated. */
  readonly #empty: ReadonlySet<string>;
  /**
   * The files of the other maps, by map; and the number of keys at which writes that are no longer needed are removed.
   */
  readonly #files: ReadonlyMap<string, string>;
  #sweepAt = SWEEP;

  /** `texts` returns the file texts that a new thread gets. */
  constructor(
    maps: readonly Pick<MapConfig, "name" | "file">[] = [],
    private readonly texts: () => FileSnapshot = () => new Map(),
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

  /** Removes deletions of keys that are not in the map's file, since a new thread does not have these keys. */
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

/** The keys in a file; null if its text is not known, in which case nothing is removed. */
function keysOf(file: string, text: string | undefined): ReadonlySet<string> | null {
  return text === undefined ? null : new Set(Object.keys(readMapFile(file, text)));
}

/** Keys to keep before the first sweep. */
const SWEEP = 4096;

/** For a key that is in no file: once the shared map lacks it, deletions in overlays need not be repeated either. */
function forget(its: Map<string, { write: MapWrite }>): void {
  if ((its.get("")?.write.value ?? null) !== null) return;
  for (const [who, { write }] of its) if (write.value === null) its.delete(who);
}
