import { type MapLimits, Size, shareOf } from "./map-size.js";

/** One change of a map. `value` is JSON text, or null where the key was deleted. */
export interface MapWrite {
  readonly map: string;
  readonly key: string;
  readonly value: string | null;
}

/** A change with the writer that made it. */
export interface OwnedWrite extends Omit<MapWrite, "map"> {
  readonly writer: string;
}

/** Who may write to a map. */
export interface MapWriters {
  /**
   * By attachment: the writer that it writes as, which is itself or its domain. An attachment that is not here may not
   * write.
   */
  readonly as: ReadonlyMap<string, string>;
  /** How many writers share the map. */
  readonly count: number;
}

export const NO_WRITERS: MapWriters = { as: new Map(), count: 1 };

interface Entry {
  readonly value: string;
  /** The writer that wrote it last; null for an initial entry of the map. */
  readonly writer: string | null;
}

/** Size of one writer's entries in a map. */
class Holding {
  readonly used = new Size();
  readonly reserved = new Size();
}

/**
 * A map of the configuration: string keys to JSON values, kept as JSON text since that is how they cross into a guest.
 * Policies reach it through a MapView; only the commit of a view changes it. An entry belongs to the writer that wrote
 * it last, and counts against that writer's share; initial entries belong to no writer.
 */
export class PolicyMap {
  private readonly entries = new Map<string, Entry>();
  private readonly holdings = new Map<string, Holding>();
  /** What the entries take, and what pending writes may add to it. */
  readonly used = new Size();
  readonly reserved = new Size();
  /** What each writer may have: an equal part. Null where there is one writer, which has the whole map. */
  readonly share: MapLimits | null;

  /** `limits` is null for a map that is not writable. */
  constructor(
    readonly name: string,
    initial: Readonly<Record<string, unknown>>,
    readonly limits: MapLimits | null,
    private readonly writers: MapWriters = NO_WRITERS,
  ) {
    const { count } = writers;
    this.share = limits === null || count === 1 ? null : shareOf(limits, count);
    for (const [key, value] of Object.entries(initial)) this.set(key, JSON.stringify(value), null);
  }

  get(key: string): string | null {
    return this.entries.get(key)?.value ?? null;
  }

  /** Who wrote a key last; null where nobody has. */
  ownerOf(key: string): string | null {
    return this.entries.get(key)?.writer ?? null;
  }

  /** The writer that an attachment writes as; null where it may not write. */
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
   * Whether the map keeps within its bounds, and each writer within its share, after all these writes; of one key the
   * last counts.
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
