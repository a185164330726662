/** A backoff policy: for how long to suspend after each failure. */
export interface Sentence {
  /** Number of failures that are counted without a suspension. */
  readonly spared: number;
  /** Milliseconds of the first suspension; each further one is twice as long. */
  readonly first: number;
  /** Milliseconds of the longest suspension. */
  readonly longest: number;
}

/** Forget an entry after 10 times its last suspension without a new failure. */
const FORGIVEN_AFTER = 10;

export interface Offence {
  readonly count: number;
  /** End of the suspension, in milliseconds since the epoch. */
  readonly until: number;
  /** Length of the suspension, in milliseconds. */
  readonly out: number;
}

/** Counts failures for each key, and suspends keys with exponential backoff. */
export class Offences<Who> {
  readonly #records: Map<Who, Offence>;

  constructor(
    private readonly sentence: Sentence,
    records: Iterable<readonly [Who, Offence]> = [],
  ) {
    this.#records = new Map(records);
  }

  charge(who: Who, now: number): void {
    const { spared, first, longest } = this.sentence;
    for (const [one, { until, out }] of this.#records)
      if (now > until + FORGIVEN_AFTER * Math.max(out, first)) this.#records.delete(one);
    const count = (this.#records.get(who)?.count ?? 0) + 1;
    const out = count <= spared ? 0 : Math.min(longest, first * 2 ** (count - spared - 1));
    this.#records.set(who, { count, until: now + out, out });
  }

  /** End of the last suspension in milliseconds since the epoch; 0 if the key has no entry. */
  until(who: Who): number {
    return this.#records.get(who)?.until ?? 0;
  }

  /** Keys that are suspended at `now`, with their entries. */
  out(now: number): [Who, Offence][] {
    return [...this.#records].filter(([, { until }]) => until > now);
  }

  get size(): number {
    return this.#records.size;
  }

  /** All entries, for another thread. */
  get records(): readonly (readonly [Who, Offence])[] {
    return [...this.#records];
  }
}
