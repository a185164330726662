import type { Scratch } from "./scratch.js";

/** Bits of a word, as a shift. */
const WORD = 5;
const BITS = 31;

/**
 * A set of leaders of which the lowest is taken first. A bit for each leader; above them a bit for each word that is
 * not zero, and so on up to one word: adding and taking cost a step for each level, of which a million leaders have
 * four.
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

  /** Takes the lowest; -1 where there is none. */
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
