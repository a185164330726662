import type { Scratch } from "./scratch.js";

/** Bits of a word, as a shift, and the places within it. */
const WORD = 5;
const BITS = 31;

/**
 * Which slots of a program are leaders, and their numbers, in ascending order of slots. It takes two bits for each slot
 * instead of a word: the table of a program of a million instructions stays in the processor's caches.
 */
export class LeaderTable {
  /** A bit for each slot. */
  readonly #bits: Int32Array;
  /** By word of bits: how many leaders there are before it. */
  readonly #before: Int32Array;
  count = 0;

  constructor(slots: number, scratch: Scratch) {
    const words = (slots + BITS) >>> WORD;
    this.#bits = scratch.take(words);
    this.#before = scratch.take(words);
  }

  add(slot: number): void {
    const word = this.#bits[slot >>> WORD]!;
    const bit = 1 << (slot & BITS);
    if ((word & bit) !== 0) return;
    this.#bits[slot >>> WORD] = word | bit;
    this.count += 1;
  }

  /** Numbers the leaders and writes their slots to `slots`. None may be added afterwards. */
  number(slots: Int32Array): void {
    let next = 0;
    for (let at = 0; at < this.#bits.length; at++) {
      this.#before[at] = next;
      for (let left = this.#bits[at]!; left !== 0; left &= left - 1)
        slots[next++] = (at << WORD) | (BITS - Math.clz32(left & -left));
    }
  }

  /** The number of the leader at a slot; -1 where there is none, or no such slot. */
  at(slot: number): number {
    const word = this.#bits[slot >> WORD] ?? 0;
    const bit = 1 << (slot & BITS);
    if ((word & bit) === 0) return -1;
    return this.#before[slot >> WORD]! + ones(word & (bit - 1));
  }
}

/** How many bits of a word are set. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
