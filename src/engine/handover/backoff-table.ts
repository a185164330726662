/** A backoff policy: for how long to suspend after each failure. */
export interface BackoffPolicy {
  /** Number of failures that are counted without a suspension. */
  readonly free: number;
  /** Milliseconds of the first suspension; each further one is twice as long. */
  readonly first: number;
  /** Milliseconds of the longest suspension. */
  readonly longest: number;
}

/** Maximum number of entries. Beyond it, the one whose suspension ends first is forgotten. */
const MOST = 4096;
/** Forget an entry after 10 times its last suspension without a new failure. */
const FORGET_AFTER = 10;

export interface BackoffEntry {
  readonly count: number;
  /** End of the suspension, in milliseconds of monotonic(). */
  readonly until: number;
  /** Length of the suspension, in milliseconds. */
  readonly duration: number;
}

/** Counts failures for each key, and suspends keys with exponential backoff. */
export class BackoffTable<Key> {
  readonly #records: Map<Key, BackoffEntry>;

  constructor(
    private readonly backoff: BackoffPolicy,
    records: Iterable<readonly [Key, BackoffEntry]> = [],
  ) {
    this.#records = new Map(records);
  }

  recordFailure(key: Key, now: number): void {
    const { free, first, longest } = this.backoff;
    for (const [one, { until, duration }] of this.#records)
      if (now > until + FORGET_AFTER * Math.max(duration, first)) this.#records.delete(one);
    const count = (this.#records.get(key)?.count ?? 0) + 1;
    const duration = count <= free ? 0 : Math.min(longest, first * 2 ** (count - free - 1));
    this.#records.set(key, { count, until: now + duration, duration });
    if (this.#records.size > MOST) this.#records.delete(this.#first());
  }

  /** The entry of a key; null for none. */
  of(key: Key): BackoffEntry | null {
    return this.#records.get(key) ?? null;
  }

  /** End of the last suspension in milliseconds of monotonic(); 0 if the key has no entry. */
  until(key: Key): number {
    return this.#records.get(key)?.until ?? 0;
  }

  /** Keys that are suspended at `now`, with their entries. */
  suspended(now: number): [Key, BackoffEntry][] {
    return [...this.#records].filter(([, { until }]) => until > now);
  }

  get size(): number {
    return this.#records.size;
  }

  /** All entries, for another thread. */
  get records(): readonly (readonly [Key, BackoffEntry])[] {
    return [...this.#records];
  }

  /** The key whose suspension ends first. */
  #first(): Key {
    let [first] = this.#records;
    for (const one of this.#records) if (one[1].until < first![1].until) first = one;
    return first![0];
  }
}
