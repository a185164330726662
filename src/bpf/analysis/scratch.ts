/** The most words that one analysis sets aside at once. */
const MOST = 1 << 16;

/**
 * Arrays of zeros for one analysis, cut from one: most programs are small, and their analysis would spend a good part of its
 * time on having two dozen arrays made and collected.
 */
export class Scratch {
  readonly #words: Int32Array;
  #used = 0;

  constructor(words: number) {
    this.#words = new Int32Array(Math.min(words, MOST));
  }

  /** An array of its own where too little is left. */
  take(length: number): Int32Array {
    if (this.#used + length > this.#words.length) return new Int32Array(length);
    const start = this.#used;
    this.#used += length;
    return this.#words.subarray(start, this.#used);
  }
}
