/** Words that are kept from one analysis to the next: 256 KiB. */
const KEPT = 1 << 16;

/** What the next analysis cuts its arrays from; null while there is none, or one is at it. */
let kept: Int32Array | null = null;
const NONE = new Int32Array(0);

/**
 * Arrays of zeros for one analysis, cut from one that is kept: most programs are small, and their analysis would spend a good part
 * of its time on having two dozen arrays made and collected. Once it has ended, nothing may look at them any more.
 */
export class Scratch {
  #words: Int32Array;
  #used = 0;

  /** Without words each array is one of its own, and the analysis need not end. */
  constructor(words: Int32Array = NONE) {
    this.#words = words;
  }

  /** For an analysis that ends before it gives anything away. */
  static begin(): Scratch {
    const words = kept ?? new Int32Array(KEPT);
    kept = null;
    return new Scratch(words);
  }

  /** An array of its own where too little is left. */
  take(length: number): Int32Array {
    if (this.#used + length > this.#words.length) return new Int32Array(length);
    const start = this.#used;
    this.#used += length;
    return this.#words.subarray(start, this.#used);
  }

  /** The analysis has ended. */
  end(): void {
    kept = this.#words.fill(0, 0, this.#used);
    this.#words = NONE;
    this.#used = 0;
  }
}
