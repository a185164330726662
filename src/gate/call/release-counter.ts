/** Milliseconds of a slot, the unit in which releases are counted. */
export const SLOT = 100;

/**
 * Slots that count: a second, the slot that is being filled, and one more, since a release is seen up to a slot after
 * it happened. So the releases of any second are all among them.
 */
export const SLOTS = 12;

/** Indexes in the shared memory. `slots` is a ring: slot N is at N modulo {@link SLOTS}. */
const WORDS = {
  ...{ slots: 0, last: SLOTS, sum: SLOTS + 1, debt: SLOTS + 2, announced: SLOTS + 3, unseen: SLOTS + 4 },
} as const;

/**
 * How many programs of a container, or of the whole gate, the kernel released in the last second, and how many more
 * than a second may have are not made up for yet: the _debt_. The memory is shared with threads that take over. The
 * decision thread alone writes to it, and a thread that was replaced no longer does.
 */
export class ReleaseCounter {
  readonly #words: Float64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(8 * (WORDS.unseen + 1))) {
    this.#words = new Float64Array(memory);
  }

  /** Programs that were loaded and not looked at since. If the thread ends, the next one takes them for released. */
  get unseen(): number {
    return this.#words[WORDS.unseen]!;
  }

  set unseen(count: number) {
    this.#words[WORDS.unseen] = count;
  }

  /** Begins slot `now`, a number that never decreases. `limit` releases of a window are made up for as it passes. */
  advance(now: number, limit: number): void {
    const words = this.#words;
    const passed = now - words[WORDS.last]!;
    if (passed <= 0) return;
    for (let slot = now; slot > now - Math.min(passed, SLOTS); slot -= 1) {
      words[WORDS.sum]! -= words[WORDS.slots + (slot % SLOTS)]!;
      words[WORDS.slots + (slot % SLOTS)] = 0;
    }
    words[WORDS.debt] = Math.max(0, words[WORDS.debt]! - (passed * limit) / SLOTS);
    words[WORDS.last] = now;
  }

  /** Counts releases, by the slots in which they happened. These may have passed, but have begun. */
  add(counts: ReadonlyMap<number, number>, limit: number): void {
    const words = this.#words;
    const last = words[WORDS.last]!;
    let [debt, from] = [0, 0];
    for (const [at, count] of [...counts].sort(([one], [other]) => one - other)) {
      if (last - at < SLOTS) {
        words[WORDS.slots + (at % SLOTS)]! += count;
        words[WORDS.sum]! += count;
      }
      debt = Math.max(0, debt - ((at - from) * limit) / SLOTS) + count;
      from = at;
    }
    words[WORDS.debt]! += Math.max(0, debt - ((last - from) * limit) / SLOTS);
  }

  /** Releases in the window. */
  get recent(): number {
    return this.#words[WORDS.sum]!;
  }

  /** Releases in the window, or the debt if it is more. */
  get due(): number {
    return Math.max(this.#words[WORDS.sum]!, this.#words[WORDS.debt]!);
  }

  /** Slots until {@link due} may be less, at least 1. */
  slotsToLess(limit: number): number {
    const words = this.#words;
    const debt = Math.ceil(((words[WORDS.debt]! - limit) * SLOTS) / limit);
    if (debt > 0) return debt;
    const last = words[WORDS.last]!;
    for (let slots = 1; slots < SLOTS; slots += 1) if (words[WORDS.slots + ((last + slots) % SLOTS)]! > 0) return slots;
    return 1;
  }

  /** Returns true the first time: the log says once of a container that its loads wait. */
  announce(): boolean {
    const first = this.#words[WORDS.announced] === 0;
    this.#words[WORDS.announced] = 1;
    return first;
  }
}
