import { PLACES } from "./byte-places.js";

const WORDS = PLACES >> 5;

/** A set of places (byte-places.ts), as bits of words. */
export class ByteSet {
  readonly #words = new Int32Array(WORDS);
  /** All words outside of these are zero. */
  #from = WORDS;
  #to = 0;

  /** The first of `size` places from `place` on that is not in the set; -1 if all are. */
  missing(place: number, size: number): number {
    const end = place + size;
    for (let at = place; at < end; ) {
      const bit = at & 31;
      const absent = ~this.#words[at >> 5]! >>> bit;
      if (absent !== 0) {
        const found = at + 31 - Math.clz32(absent & -absent);
        if (found < end) return found;
        return -1;
      }
      at += 32 - bit;
    }
    return -1;
  }

  /** The first place from `place` to `end` - 1 that is in the set; -1 if none is. */
  next(place: number, end: number): number {
    for (let at = Math.max(place, this.#from << 5); at < Math.min(end, this.#to << 5); ) {
      const bit = at & 31;
      const present = this.#words[at >> 5]! >>> bit;
      if (present !== 0) {
        const found = at + 31 - Math.clz32(present & -present);
        return found < end ? found : -1;
      }
      at += 32 - bit;
    }
    return -1;
  }

  /** Calls `visit` with each range of places from `place` to `end` - 1 that are in the set. */
  visit(place: number, end: number, visit: (place: number, size: number) => void): void {
    for (let from = this.next(place, end); from >= 0; ) {
      const gap = this.missing(from, end - from);
      const to = gap < 0 ? end : gap;
      visit(from, to - from);
      from = this.next(to, end);
    }
  }

  /** Returns whether a place is new. */
  add(place: number, size: number): boolean {
    let isNew = false;
    const end = place + size;
    for (let at = place; at < end; ) {
      const bit = at & 31;
      const count = Math.min(32 - bit, end - at);
      const mask = (count === 32 ? -1 : (1 << count) - 1) << bit;
      const word = at >> 5;
      const before = this.#words[word]!;
      if ((before & mask) !== mask) {
        this.#words[word] = before | mask;
        if (word < this.#from) this.#from = word;
        if (word >= this.#to) this.#to = word + 1;
        isNew = true;
      }
      at += count;
    }
    return isNew;
  }

  /** Returns whether a place was in the set. */
  remove(place: number, size: number): boolean {
    if (this.next(place, place + size) < 0) return false;
    for (let at = place; at < place + size; at++) this.#words[at >> 5]! &= ~(1 << (at & 31));
    return true;
  }

  /** Removes what is not in another set. Returns whether that was anything. */
  intersect(other: ByteSet): boolean {
    let removed = false;
    for (let word = this.#from; word < this.#to; word++) {
      const both = this.#words[word]! & other.#words[word]!;
      removed ||= both !== this.#words[word];
      this.#words[word] = both;
    }
    return removed;
  }

  copy(other: ByteSet): void {
    this.clear();
    this.#from = other.#from;
    this.#to = other.#to;
    for (let word = this.#from; word < this.#to; word++) this.#words[word] = other.#words[word]!;
  }

  clear(): void {
    if (this.#from < this.#to) this.#words.fill(0, this.#from, this.#to);
    this.#from = WORDS;
    this.#to = 0;
  }

  /** Makes this the set that `write` wrote to `rows` at `at`. Returns the index after it. */
  read(rows: Int32Array, at: number): number {
    this.clear();
    const [from, to] = [rows[at]! >> 8, rows[at]! & 0xff];
    if (from >= to) return at + 1;
    this.#from = from;
    this.#to = to;
    for (let word = from; word < to; word++) this.#words[word] = rows[at + 1 + word - from]!;
    return at + 1 + to - from;
  }

  /** Writes the set to `rows` at `at`: its first word and the one after its last, then the words. Returns the end. */
  write(rows: Int32Array, at: number): number {
    const words = this.#words;
    let [from, to] = [this.#from, this.#to];
    while (from < to && words[from] === 0) from += 1;
    while (from < to && words[to - 1] === 0) to -= 1;
    rows[at] = from < to ? (from << 8) | to : 0;
    for (let word = from; word < to; word++) rows[at + 1 + word - from] = words[word]!;
    return from < to ? at + 1 + to - from : at + 1;
  }
}

/** Maximum number of words that `write` writes. */
export const MOST_WRITTEN = WORDS + 1;
