/** For how long somebody is out. */
export interface Sentence {
  /** Offences that are charged alone: nobody is out for them. */
  readonly spared: number;
  /** Milliseconds that one is out for, the first time; twice as long each time after that. */
  readonly first: number;
  /** Milliseconds at most. */
  readonly longest: number;
}

/** Without another offence for this many times the last sentence, somebody is as good as new. */
const FORGIVEN_AFTER = 10;

export interface Offence {
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Milliseconds. */
  readonly out: number;
}

/** Who hindered others, how often, and until when that has consequences. */
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

  /** Milliseconds since the epoch until when somebody is out; 0 for who never was. */
  until(who: Who): number {
    return this.#records.get(who)?.until ?? 0;
  }

  /** Those that are out. */
  out(now: number): [Who, Offence][] {
    return [...this.#records].filter(([, { until }]) => until > now);
  }

  get size(): number {
    return this.#records.size;
  }

  /** All that is known, for another thread. */
  get records(): readonly (readonly [Who, Offence])[] {
    return [...this.#records];
  }
}
