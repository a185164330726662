import type { Scratch } from "../values/scratch.js";

/** log2 of the bits in a word, and the mask for a bit's index. */
const WORD = 5;
const BITS = 31;

/**
 * The leaders of a program, numbered in ascending order of slots. The table takes two bits for each slot instead of a
 * word, so that for a million instructions it fits into the processor's caches.
 */
export class LeaderTable {
  /** A bit for each slot. */
  readonly #bits: Int32Array;
  /** For each word of bits: the number of leaders before it. */
  readonly #before: Int32Array;
  count = 0;

  constructor(slots: number, scratch: Scratch) {
    const words = (slots + BITS) >>> WORD;
    this.#bits = scratch.take(words);
    this.#before = scratch.takeAny(words);
  }

  add(slot: number): void {
    const word = this.#bits[slot >>> WORD]!;
    const bit = 1 << (slot & BITS);
    if ((word & bit) !== 0) return;
    this.#bits[slot >>> WORD] = word | bit;
    this.count += 1;
  }

  /** Numbers the leaders and writes their slots to `slots`. No leader may be added afterwards. */
  number(slots: Int32Array): void {
    let next = 0;
    for (let at = 0; at < this.#bits.length; at++) {
      this.#before[at] = next;
      for (let left = this.#bits[at]!; left !== 0; left &= left - 1)
        slots[next++] = (at << WORD) | (BITS - Math.clz32(left & -left));
    }
  }

  /** The number of the leader at a slot; -1 if there is none or the slot does not exist. */
  at(slot: number): number {
    const word = this.#bits[slot >> WORD] ?? 0;
    const bit = 1 << (slot & BITS);
    if ((word & bit) === 0) return -1;
    return this.#before[slot >> WORD]! + ones(word & (bit - 1));
  }
}

/** Number of bits that are set in a word. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
