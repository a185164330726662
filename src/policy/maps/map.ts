import type { MapSchema } from "./map-schema.js";
import { type MapLimits, Size, shareOf } from "./map-size.js";

/** One change of a map. `value` is JSON text, or null if the key was deleted. */
export interface MapWrite {
  readonly map: string;
  readonly key: string;
  readonly value: string | null;
}

/** A change with the writer that made it. */
export interface OwnedWrite extends Omit<MapWrite, "map"> {
  readonly writer: string;
}

/** The writers of a map. */
export interface MapWriters {
  /** Writer by attachment: the attachment itself or its domain. An attachment that is not in this map may not write. */
  readonly as: ReadonlyMap<string, string>;
  /** Number of writers that share the map. */
  readonly count: number;
}

export const NO_WRITERS: MapWriters = { as: new Map(), count: 1 };

interface Entry {
  readonly value: string;
  /** The writer that wrote the entry last; null for an initial entry. */
  readonly writer: string | null;
}

/** The size of one writer's entries, and of its pending writes. */
class Holding {
  readonly used = new Size();
  readonly reserved = new Size();
}

/**
 * A map of the configuration: string keys to JSON values. Values are kept as JSON text, the form in which they are
 * passed to a guest. Policies access it through a MapView; only the commit of a view changes it. An entry belongs to
 * the writer that wrote it last and counts against that writer's share. Initial entries belong to no writer.
 */
export class PolicyMap {
  private readonly entries = new Map<string, Entry>();
  private readonly holdings = new Map<string, Holding>();
  /** Whether the map has the entries with which it was made. */
  isInitial = false;
  /** Size of the entries, and of what pending writes may add. */
  readonly used = new Size();
  readonly reserved = new Size();
  /**
   * The limits of each writer: an equal part of the map. Null if there is only one writer, which may use the whole map.
   */
  readonly share: MapLimits | null;

  /** `limits` is null for a map that no policy may write to, and `schema` for one that takes any entries. */
  constructor(
    readonly name: string,
    initial: Readonly<Record<string, unknown>>,
    readonly limits: MapLimits | null,
    private readonly writers: MapWriters = NO_WRITERS,
    readonly schema: MapSchema | null = null,
  ) {
    const { count } = writers;
    this.share = limits === null || count === 1 ? null : shareOf(limits, count);
    this.reset(initial, true);
  }

  /** Replaces all entries by ones that no writer wrote. `isInitial`: whether they are those of the map's file. */
  reset(entries: Readonly<Record<string, unknown>>, isInitial: boolean): void {
    for (const key of [...this.entries.keys()]) this.set(key, null, null);
    for (const [key, value] of Object.entries(entries)) this.set(key, JSON.stringify(value), null);
    this.isInitial = isInitial;
  }

  get(key: string): string | null {
    return this.entries.get(key)?.value ?? null;
  }

  /** The writer that wrote a key last; null if none has. */
  ownerOf(key: string): string | null {
    return this.entries.get(key)?.writer ?? null;
  }

  /** The writer that an attachment's writes count for; null if the attachment may not write. */
  writerOf(attachment: string): string | null {
    return this.limits === null ? null : (this.writers.as.get(attachment) ?? null);
  }

  holdingOf(writer: string): Holding {
    let holding = this.holdings.get(writer);
    if (holding === undefined) {
      holding = new Holding();
      this.holdings.set(writer, holding);
    }
    return holding;
  }

  set(key: string, value: string | null, writer: string | null): void {
    this.isInitial = false;
    const before = this.entries.get(key);
    this.used.change(key, before?.value ?? null, value);
    if (before !== undefined && before.writer !== null)
      this.holdingOf(before.writer).used.change(key, before.value, null);
    if (value === null) this.entries.delete(key);
    else {
      this.entries.set(key, { value, writer });
      if (writer !== null) this.holdingOf(writer).used.change(key, null, value);
    }
  }

  /**
   * Whether the map stays within its limits, and each writer within its share, after all these writes. If several
   * change the same key, the last one counts.
   */
  fits(writes: readonly OwnedWrite[]): boolean {
    if (this.limits === null) return false;
    const used = new Size().add(this.used);
    const held = new Map<string, Size>();
    const heldBy = (writer: string) => {
      const size = held.get(writer) ?? new Size().add(this.holdingOf(writer).used);
      held.set(writer, size);
      return size;
    };
    for (const { key, value, writer } of new Map(writes.map((write) => [write.key, write])).values()) {
      const before = this.entries.get(key);
      used.change(key, before?.value ?? null, value);
      if (before !== undefined && before.writer !== null) heldBy(before.writer).change(key, before.value, null);
      heldBy(writer).change(key, null, value);
    }
    const { share } = this;
    return !used.exceeds(this.limits) && (share === null || [...held.values()].every((size) => !size.exceeds(share)));
  }
}
