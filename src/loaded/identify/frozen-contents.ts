import { mapContents } from "../code/map-contents.js";
import type { MapReport } from "../model/objects.js";
import type { Reads } from "../reads/reads.js";
import type { FixedContents, KnownMap } from "./known-program.js";

/** Says whether a loaded map can stand for a known one: by what the kernel reports, and the value of a frozen map. */
export class FrozenContents {
  readonly #maps: ReadonlyMap<number, MapReport>;
  readonly #values = new Map<number, Uint8Array | null>();
  readonly #known = new Map<KnownMap, Map<number, boolean>>();

  constructor(
    private readonly reads: Reads,
    maps: readonly MapReport[],
  ) {
    this.#maps = new Map(maps.map((map) => [map.id, map]));
  }

  /**
   * Whether map `id` has the known map's type, and, if the known map is read-only data, its contents apart from
   * settings, frozen.
   */
  readonly fits = (id: number, known: KnownMap): boolean => {
    const report = this.#maps.get(id);
    if (report === undefined || (known.type !== null && known.type !== report.type)) return false;
    if (known.fixed === null) return true;
    const answers = this.#known.get(known) ?? new Map<number, boolean>();
    this.#known.set(known, answers);
    const answer = answers.get(id) ?? this.#hasContents(report, known.fixed);
    answers.set(id, answer);
    return answer;
  };

  #hasContents(report: MapReport, { bytes, settings }: FixedContents): boolean {
    if (report.frozen !== true || report.maxEntries !== 1 || report.valueSize !== bytes.length) return false;
    const value = this.#valueOf(report);
    if (value === null) return false;
    const [found, wanted] = [Buffer.from(value), Buffer.from(bytes)];
    for (const { offset, size } of settings) for (const each of [found, wanted]) each.fill(0, offset, offset + size);
    return found.equals(wanted);
  }

  #valueOf(report: MapReport): Uint8Array | null {
    let value = this.#values.get(report.id);
    if (value === undefined) {
      // an array has one value, whatever the number of processors
      const contents = mapContents(this.reads, report, 1);
      value = typeof contents === "number" ? null : contents.subarray(report.keySize);
      this.#values.set(report.id, value);
    }
    return value;
  }
}
