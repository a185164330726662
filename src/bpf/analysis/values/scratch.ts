/** Number of words that are kept for the next analysis: 256 KiB. */
const KEPT = 1 << 16;

/** The memory for the arrays of the next analysis; null before the first one, and while an analysis uses it. */
let kept: Int32Array | null = null;
const NONE = new Int32Array(0);

/**
 * Zeroed arrays for one analysis, allocated from a buffer that is reused. Most programs are small, and allocating two
 * dozen arrays would take a large part of their analysis. The arrays must not be used after the analysis has ended.
 */
export class Scratch {
  #words: Int32Array;
  #used = 0;

  /** Without a buffer, each array is allocated separately, and `end` need not be called. */
  constructor(words: Int32Array = NONE) {
    this.#words = words;
  }

  /** For an analysis that calls `end` before it returns a result. */
  static begin(): Scratch {
    const words = kept ?? new Int32Array(KEPT);
    kept = null;
    return new Scratch(words);
  }

  /** An array from the buffer, or a separate one if the buffer has too little left. */
  take(length: number): Int32Array {
    if (this.#used + length > this.#words.length) return new Int32Array(length);
    const start = this.#used;
    this.#used += length;
    return this.#words.subarray(start, this.#used);
  }

  /** Ends the analysis and keeps the buffer for the next one. */
  end(): void {
    kept = this.#words.fill(0, 0, this.#used);
    this.#words = NONE;
    this.#used = 0;
  }
}
