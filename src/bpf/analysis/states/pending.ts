import type { ByteSet } from "./byte-set.js";

/** Maximum number of entries. A new one replaces the oldest. */
const MOST = 12;
/** Words of an entry: slot of the call, place of the first byte, number of bytes, signs. */
const WORDS = 4;
/** In place of signs: the call wrote as many of the bytes as its result says, which may say more; or never does. */
export const AS_RESULT = 8;
export const AS_BOUNDED = 16;

/** Bytes that calls have written if their results have certain signs (call-tags.ts). */
export class Pending {
  static readonly MOST_WRITTEN = MOST * WORDS;
  readonly #words = new Int32Array(MOST * WORDS);
  #end = 0;

  add(slot: number, place: number, size: number, signs: number): void {
    if (this.#has([slot, place, size, signs], 0)) return;
    if (this.#end === this.#words.length) this.#drop(0);
    const words = this.#words;
    words[this.#end++] = slot;
    words[this.#end++] = place;
    words[this.#end++] = size;
    words[this.#end++] = signs;
  }

  /** Drops the entries of a call. Returns whether there were any. */
  forget(slot: number): boolean {
    const before = this.#end;
    for (let at = this.#end - WORDS; at >= 0; at -= WORDS) if (this.#words[at] === slot) this.#drop(at);
    return this.#end !== before;
  }

  /** Drops the entries with one of these places. Returns whether there were any. */
  remove(place: number, size: number): boolean {
    const before = this.#end;
    for (let at = this.#end - WORDS; at >= 0; at -= WORDS) {
      const start = this.#words[at + 1]!;
      if (start < place + size && place < start + this.#words[at + 2]!) this.#drop(at);
    }
    return this.#end !== before;
  }

  /** Calls `written` with the bytes that a call wrote if its result has one of these signs. */
  resolve(slot: number, signs: number, written: (place: number, size: number) => void): void {
    const words = this.#words;
    for (let at = 0; at < this.#end; at += WORDS)
      if (words[at] === slot && words[at + 3]! < AS_RESULT && (signs & ~words[at + 3]!) === 0)
        written(words[at + 1]!, words[at + 2]!);
  }

  /** Of how many bytes from a place on the call wrote as many as its result says; 0 if that is not known. */
  wroteAsResult(slot: number, place: number): number {
    const words = this.#words;
    for (let at = 0; at < this.#end; at += WORDS) {
      const as = words[at + 3];
      if (words[at] === slot && words[at + 1] === place && (as === AS_RESULT || as === AS_BOUNDED))
        return as === AS_BOUNDED ? Infinity : words[at + 2]!;
    }
    return 0;
  }

  /** The latest call with an entry for this place; -1 if there is none. */
  callFor(place: number): number {
    const words = this.#words;
    for (let at = this.#end - WORDS; at >= 0; at -= WORDS)
      if (place >= words[at + 1]! && place < words[at + 1]! + words[at + 2]!) return words[at]!;
    return -1;
  }

  /** Drops the entries whose bytes are written anyway. */
  prune(bytes: ByteSet): void {
    const words = this.#words;
    for (let at = this.#end - WORDS; at >= 0; at -= WORDS)
      if (bytes.missing(words[at + 1]!, words[at + 2]!) < 0) this.#drop(at);
  }

  /**
   * Keeps what holds on two paths: the entries of both, and those whose bytes the other path has surely written. Both
   * are pruned.
   */
  meet(bytes: ByteSet, other: Pending, otherBytes: ByteSet): void {
    const words = this.#words;
    for (let at = this.#end - WORDS; at >= 0; at -= WORDS)
      if (!other.#has(words, at) && otherBytes.missing(words[at + 1]!, words[at + 2]!) >= 0) this.#drop(at);
    const theirs = other.#words;
    for (let at = 0; at < other.#end; at += WORDS)
      if (bytes.missing(theirs[at + 1]!, theirs[at + 2]!) < 0 && !this.#has(theirs, at))
        this.add(theirs[at]!, theirs[at + 1]!, theirs[at + 2]!, theirs[at + 3]!);
  }

  #has(words: ArrayLike<number>, row: number): boolean {
    for (let at = 0; at < this.#end; at += WORDS) {
      let word = 0;
      while (word < WORDS && this.#words[at + word] === words[row + word]) word += 1;
      if (word === WORDS) return true;
    }
    return false;
  }

  #drop(at: number): void {
    this.#words.copyWithin(at, at + WORDS, this.#end);
    this.#end -= WORDS;
  }

  read(rows: Int32Array, at: number, end: number): void {
    this.#end = end - at;
    for (let word = 0; word < this.#end; word++) this.#words[word] = rows[at + word]!;
  }

  /** Returns the end. */
  write(rows: Int32Array, at: number): number {
    for (let word = 0; word < this.#end; word++) rows[at + word] = this.#words[word]!;
    return at + this.#end;
  }
}
