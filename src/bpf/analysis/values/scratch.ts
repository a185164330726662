/** Number of words that are kept for the next analysis: 256 KiB. */
const KEPT = 1 << 16;
/** Least number of words of a block for what does not fit: 4 MiB. */
const BLOCK = 1 << 20;
/** Maximum number of words of all blocks that the next analysis may find: 64 MiB. */
const MOST_IN_BLOCKS = 1 << 24;

/** The memory for the arrays of the next analysis; null before the first one, and while an analysis uses it. */
let kept: Int32Array | null = null;
const NONE = new Int32Array(0);

/**
 * The blocks of earlier analyses of long programs, until the garbage collector frees them. Memory that each analysis
 * allocates anew makes it collect garbage after a few of them, and the kernel has to map and clear each page again.
 */
let blocks = new WeakRef<Int32Array[]>([]);

/**
 * Arrays for one analysis, allocated from memory that is reused. Most programs are small, and allocating two dozen
 * arrays would take a large part of their analysis. The arrays must not be used after the analysis has ended.
 */
export class Scratch {
  /** Zeroed beyond `#used`. */
  #words: Int32Array;
  #used = 0;
  readonly #blocks: Int32Array[] = [];
  /** Number of words of the last block that are used. */
  #usedOfBlock = 0;

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

  /** A zeroed array. */
  take(length: number): Int32Array {
    if (this.#used + length <= this.#words.length) return this.#fromWords(length);
    return this.#words === NONE ? new Int32Array(length) : this.#fromBlocks(length).fill(0);
  }

  /** An array with any contents, for a caller that writes each word before it reads it. */
  takeAny(length: number): Int32Array {
    if (this.#used + length <= this.#words.length) return this.#fromWords(length);
    return this.#words === NONE ? new Int32Array(length) : this.#fromBlocks(length);
  }

  /** Ends the analysis and keeps the memory for the next one. */
  end(): void {
    kept = this.#words.fill(0, 0, this.#used);
    this.#words = NONE;
    this.#used = 0;
    if (this.#blocks.length > 0) keepBlocks(this.#blocks.splice(0));
  }

  #fromWords(length: number): Int32Array {
    const start = this.#used;
    this.#used += length;
    return this.#words.subarray(start, this.#used);
  }

  #fromBlocks(length: number): Int32Array {
    let block = this.#blocks.at(-1);
    if (block === undefined || this.#usedOfBlock + length > block.length) {
      block = blockOf(length);
      this.#blocks.push(block);
      this.#usedOfBlock = 0;
    }
    const start = this.#usedOfBlock;
    this.#usedOfBlock += length;
    return block.subarray(start, this.#usedOfBlock);
  }
}

/** The first kept block that is long enough, or a new one. */
function blockOf(length: number): Int32Array {
  const known = blocks.deref() ?? [];
  const at = known.findIndex((block) => block.length >= length);
  return at === -1 ? new Int32Array(Math.ceil(length / BLOCK) * BLOCK) : known.splice(at, 1)[0]!;
}

function keepBlocks(used: readonly Int32Array[]): void {
  let known = blocks.deref();
  if (known === undefined) {
    known = [];
    blocks = new WeakRef(known);
  }
  let left = MOST_IN_BLOCKS - known.reduce((sum, block) => sum + block.length, 0);
  for (const block of used) {
    left -= block.length;
    if (left >= 0) known.push(block);
  }
  known.sort((a, b) => a.length - b.length);
}
