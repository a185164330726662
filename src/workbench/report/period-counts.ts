/** Length in milliseconds of the first periods. */
const SHORTEST = 1000;
/** Maximum number of periods. */
const MAX_PERIODS = 240;

/**
 * The periods that times are counted in. Their length doubles until all times fit in {@link MAX_PERIODS}; boundaries
 * are multiples of the length, so that two periods become one.
 */
export class Periods {
  #length = SHORTEST;
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** In milliseconds. */
  get length(): number {
    return this.#length;
  }

  /** The number of the first period that has a time. */
  get first(): number {
    return Math.floor(this.#first / this.#length);
  }

  /** Makes room for a time, in milliseconds since the epoch. */
  include(time: number): void {
    this.#first = Math.min(this.#first, time);
    this.#last = Math.max(this.#last, time);
    while (Math.floor(this.#last / this.#length) - this.first >= MAX_PERIODS) this.#length *= 2;
  }
}

/** Counts of events in {@link Periods}. */
export class PeriodCounts {
  #length: number;
  #counts = new Map<number, number>();
  #total = 0;

  constructor(private readonly periods: Periods) {
    this.#length = periods.length;
  }

  get total(): number {
    return this.#total;
  }

  /** The time must be included in the periods. Null is counted in no period. */
  add(time: number | null): void {
    this.#total += 1;
    if (time === null) return;
    this.#adapt();
    const period = Math.floor(time / this.#length);
    this.#counts.set(period, (this.#counts.get(period) ?? 0) + 1);
  }

  addAll(other: PeriodCounts): void {
    this.#adapt();
    other.#adapt();
    this.#total += other.#total;
    for (const [period, count] of other.#counts) this.#counts.set(period, (this.#counts.get(period) ?? 0) + count);
  }

  /** Pairs of a period's number since the first one and its count, in the order of time. */
  pairs(): readonly number[] {
    this.#adapt();
    const { first } = this.periods;
    return [...this.#counts].sort(([a], [b]) => a - b).flatMap(([period, count]) => [period - first, count]);
  }

  /** Adds up periods that have become one since the last call. */
  #adapt(): void {
    if (this.#length === this.periods.length) return;
    const factor = this.periods.length / this.#length;
    const counts = new Map<number, number>();
    for (const [period, count] of this.#counts) {
      const longer = Math.floor(period / factor);
      counts.set(longer, (counts.get(longer) ?? 0) + count);
    }
    this.#counts = counts;
    this.#length = this.periods.length;
  }
}
