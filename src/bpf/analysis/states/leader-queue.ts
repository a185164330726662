import type { Scratch } from "../values/scratch.js";

/** log2 of the bits in a word, and the mask for a bit's index. */
const WORD = 5;
const BITS = 31;

/**
 * A set of leaders from which the lowest one is taken. It has a bit for each leader; above these, a bit for each word
 * that is not zero, and so on up to one word. Adding and taking visit each level once; a million leaders have four
 * levels.
 */
export class LeaderQueue {
  readonly #levels: readonly Int32Array[];

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
    let at = leader;
    for (const level of this.#levels) {
      const word = at >>> WORD;
      const before = level[word]!;
      level[word] = before | (1 << (at & BITS));
      if (before !== 0) return;
      at = word;
    }
  }

  /** Removes and returns the lowest leader; -1 if the set is empty. */
  take(): number {
    const levels = this.#levels;
    let at = 0;
    for (let index = levels.length - 1; index >= 0; index--) {
      const word = levels[index]![at]!;
      if (word === 0) return -1;
      at = (at << WORD) | (BITS - Math.clz32(word & -word));
    }
    this.#remove(at);
    return at;
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
