/** Maximum size of a map, or of one writer's share of it. */
export interface MapLimits {
  readonly entries: number;
  /** Size of keys and values (as JSON text) in memory: two bytes for each UTF-16 code unit. */
  readonly bytes: number;
}

/** A size, or a change of size, which can be negative. */
export class Size {
  constructor(
    public entries = 0,
    public bytes = 0,
  ) {}

  add(other: Size | undefined, sign: 1 | -1 = 1): this {
    this.entries += sign * (other?.entries ?? 0);
    this.bytes += sign * (other?.bytes ?? 0);
    return this;
  }

  /** Adds the change of a key's value; null means no entry. */
  change(key: string, before: string | null, after: string | null): this {
    this.entries += Number(after !== null) - Number(before !== null);
    this.bytes += taken(key, after) - taken(key, before);
    return this;
  }

  exceeds(limits: MapLimits): boolean {
    return this.entries > limits.entries || this.bytes > limits.bytes;
  }

  growth(): Size {
    return new Size(Math.max(0, this.entries), Math.max(0, this.bytes));
  }
}

function taken(key: string, value: string | null): number {
  return value === null ? 0 : 2 * (key.length + value.length);
}

/** Divides a map's limits equally among its writers. */
export function shareOf({ entries, bytes }: MapLimits, writers: number): MapLimits {
  return { entries: Math.floor(entries / writers), bytes: Math.floor(bytes / writers) };
}
