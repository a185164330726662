/** Upper bounds of a map or of a writer's share. */
export interface MapLimits {
  readonly entries: number;
  /** Of keys and values (as JSON text) together, in UTF-16 units of two bytes: what they take in memory. */
  readonly bytes: number;
}

/** Entries and bytes; negative where something became smaller. */
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

  /** A key's value changes; null is none. */
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

/** An equal part of a map for each of its writers. */
export function shareOf({ entries, bytes }: MapLimits, writers: number): MapLimits {
  return { entries: Math.floor(entries / writers), bytes: Math.floor(bytes / writers) };
}
