import type { Scratch } from "../values/scratch.js";

/** log2 of the bits in a word, and the mask for a bit's index. */
const WORD = 5;
const BITS = 31;

/**
 * A set of leaders from which the lowest one is taken. It has a bit for each leader; above these, a bit for each word
 * that is not zero, and so on up to one word. Adding and taking visit each level once; a million leaders have four
 * levels. The lowest leader is kept outside of the levels where possible: mostly it is added last and taken next.
 */
export class LeaderQueue {
  readonly #levels: readonly Int32Array[];
  /** A leader that is lower than all in the levels; -1 if there is none. */
  #first = -1;
  /** Number of leaders in the levels, and a number that none of them is lower than. */
  #count = 0;
  #least = 0;

  constructor(leaders: number, scratch: Scratch) {
    const levels: Int32Array[] = [];
    let words = leaders;
    do {
      words = Math.max(1, (words + BITS) >>> WORD);
      levels.push(scratch.take(words));
    } while (words > 1);
    this.#levels = levels;
  }

  add(leader: number): void {
    const first = this.#first;
    if (leader === first) return;
    if (first < 0) {
      if (this.#count === 0 || leader < this.#least) this.#first = leader;
      else this.#insert(leader);
    } else if (leader < first) {
      this.#first = leader;
      this.#insert(first);
    } else this.#insert(leader);
  }

  /** Removes and returns the lowest leader; -1 if the set is empty. */
  take(): number {
    const first = this.#first;
    if (first >= 0) {
      this.#first = -1;
      return first;
    }
    if (this.#count === 0) return -1;
    const levels = this.#levels;
    let at = 0;
    for (let index = levels.length - 1; index >= 0; index--) {
      const word = levels[index]![at]!;
      at = (at << WORD) | (BITS - Math.clz32(word & -word));
    }
    this.#remove(at);
    this.#count -= 1;
    this.#least = at + 1;
    return at;
  }

  #insert(leader: number): void {
    const bit = 1 << (leader & BITS);
    if ((this.#levels[0]![leader >>> WORD]! & bit) !== 0) return;
    if (this.#count === 0 || leader < this.#least) this.#least = leader;
    this.#count += 1;
    let at = leader;
    for (const level of this.#levels) {
      const word = at >>> WORD;
      const before = level[word]!;
      level[word] = before | (1 << (at & BITS));
      if (before !== 0) return;
      at = word;
    }
  }

  #remove(leader: number): void {
    let at = leader;
    for (const level of this.#levels) {
      const word = at >>> WORD;
      level[word]! &= ~(1 << (at & BITS));
      if (level[word] !== 0) return;
      at = word;
    }
  }
}
