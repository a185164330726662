import { randomInt } from "node:crypto";
import { slotOfTag } from "../values/call-tags.js";
import { ByteSet, MOST_WRITTEN } from "./byte-set.js";
import { Pending } from "./pending.js";
import type { Work } from "./work.js";

/** Maximum number of sets, whose numbers fit into 16 bits, and of the words that they take (4 MiB). */
const MOST_SETS = 1 << 16;
const MOST_WORDS = 1 << 20;
const FIRST_SETS = 1 << 7;
const FIRST_WORDS = 1 << 10;
/** Number of joins that are remembered. */
const JOINS = 1 << 6;
const EMPTY = 0;

/**
 * The bytes that a function has surely written, by their places (byte-places.ts), and those that a call has written if
 * its result turns out to be right (pending.ts). Where paths meet, only what was written on each of them is.
 *
 * There is one current set. The sets at leaders are stored once and identified by a number; 0 is the empty set.
 */
export class WrittenBytes {
  readonly #now = new ByteSet();
  readonly #pending = new Pending();
  /** The number of the current set as it was loaded, and whether it has changed since. */
  #loaded = EMPTY;
  #changed = false;
  /** For `join`. */
  readonly #other = new ByteSet();
  readonly #otherPending = new Pending();
  readonly #joins = new Int32Array(3 * JOINS).fill(-1);

  /** Each set as ByteSet writes it, then what is pending. */
  #rows = new Int32Array(FIRST_WORDS);
  /** Where each set begins, and after the last one, where the next one will. */
  #starts = new Int32Array(FIRST_SETS);
  #sets = 0;
  /** Hash table with open addressing, from the hash of a row to its set; -1 if free. */
  #index = new Int32Array(4 * FIRST_SETS).fill(-1);

  constructor(readonly work: Work) {
    this.#intern(this.#now, this.#pending);
  }

  /** The first of `size` places that is not surely written; -1 if all are. */
  missing(place: number, size: number): number {
    return this.#now.missing(place, size);
  }

  write(place: number, size: number): void {
    if (this.#now.add(place, size)) this.#changed = true;
  }

  /** The kernel keeps data of its own in these bytes, whatever was written there before. */
  unwrite(place: number, size: number): void {
    const removed = this.#now.remove(place, size);
    if (this.#pending.remove(place, size) || removed) this.#changed = true;
  }

  /** The call in this slot wrote these bytes if its result has one of these signs (call-tags.ts). */
  writeIf(slot: number, place: number, size: number, signs: number): void {
    if (size <= 0 || this.missing(place, size) < 0) return;
    this.#pending.add(slot, place, size, signs);
    this.#changed = true;
  }

  /** Drops what is pending on an earlier call in this slot. */
  forget(slot: number): void {
    if (this.#pending.forget(slot)) this.#changed = true;
  }

  /** The result of the call with this tag has one of these signs. */
  resultHas(tag: number, signs: number): void {
    this.#pending.resolve(slotOfTag(tag), signs, (place, size) => this.write(place, size));
  }

  /** What is pending on a call's result. */
  get pending(): Pending {
    return this.#pending;
  }

  /** The bytes that are surely written now. */
  get bytes(): ByteSet {
    return this.#now;
  }

  /** Makes a stored set the current one. */
  load(set: number): void {
    if (set === this.#loaded && !this.#changed) return;
    this.#read(set, this.#now, this.#pending);
    this.#loaded = set;
    this.#changed = false;
  }

  /** The number of the current set; that of the empty one, which is always right, if there are too many. */
  store(): number {
    if (!this.#changed) return this.#loaded;
    this.#pending.prune(this.#now);
    const set = this.#intern(this.#now, this.#pending);
    if (set < 0) this.load(EMPTY);
    else {
      this.#loaded = set;
      this.#changed = false;
    }
    return this.#loaded;
  }

  /** The number of the set of what both have written. */
  join(a: number, b: number): number {
    if (a === b || a === EMPTY || b === EMPTY) return a === b ? a : EMPTY;
    const at = 3 * ((a ^ (b << 2)) & (JOINS - 1));
    const joins = this.#joins;
    if (joins[at] === a && joins[at + 1] === b) return joins[at + 2]!;
    const before = this.store();
    this.work.done += (this.#starts[a + 1]! - this.#starts[a]!) >> 2;
    this.#read(a, this.#now, this.#pending);
    this.#read(b, this.#other, this.#otherPending);
    this.#pending.meet(this.#now, this.#otherPending, this.#other);
    this.#now.intersect(this.#other);
    const joined = Math.max(EMPTY, this.#intern(this.#now, this.#pending));
    this.#changed = true;
    this.load(before);
    joins[at] = a;
    joins[at + 1] = b;
    joins[at + 2] = joined;
    return joined;
  }

  #read(set: number, bytes: ByteSet, pending: Pending): void {
    pending.read(this.#rows, bytes.read(this.#rows, this.#starts[set]!), this.#starts[set + 1]!);
  }

  /** The number of a set; -1 if there are too many. */
  #intern(bytes: ByteSet, pending: Pending): number {
    const at = this.#starts[this.#sets]!;
    if (at + MOST_WRITTEN + Pending.MOST_WRITTEN > this.#rows.length) {
      if (this.#rows.length * 2 > MOST_WORDS) return -1;
      this.#rows = longer(this.#rows);
    }
    const end = pending.write(this.#rows, bytes.write(this.#rows, at));
    this.work.done += (end - at) >> 3;
    const last = this.#index.length - 1;
    let free = this.#hash(at, end) & last;
    for (; this.#index[free]! >= 0; free = (free + 1) & last)
      if (this.#equals(this.#index[free]!, at, end)) return this.#index[free]!;
    const set = this.#sets;
    if (set === MOST_SETS - 1) return -1;
    this.#sets += 1;
    if (this.#sets === this.#starts.length) this.#starts = longer(this.#starts);
    this.#starts[this.#sets] = end;
    this.#index[free] = set;
    if (this.#sets * 2 > this.#index.length) this.#growIndex();
    return set;
  }

  #growIndex(): void {
    const last = this.#index.length * 4 - 1;
    const index = new Int32Array(last + 1).fill(-1);
    for (let set = 0; set < this.#sets; set++) {
      let at = this.#hash(this.#starts[set]!, this.#starts[set + 1]!) & last;
      while (index[at]! >= 0) at = (at + 1) & last;
      index[at] = set;
    }
    this.#index = index;
  }

  #hash(from: number, to: number): number {
    let hash = 0;
    for (let word = from; word < to; word++) {
      hash = Math.imul(hash ^ this.#rows[word]!, FACTOR);
      hash ^= hash >>> 15;
    }
    return hash;
  }

  #equals(set: number, at: number, end: number): boolean {
    const rows = this.#rows;
    const start = this.#starts[set]!;
    if (this.#starts[set + 1]! - start !== end - at) return false;
    for (let word = at; word < end; word++) if (rows[start + word - at] !== rows[word]) return false;
    return true;
  }
}

function longer(array: Int32Array): Int32Array<ArrayBuffer> {
  const twice = new Int32Array(array.length * 2);
  twice.set(array);
  return twice;
}

/** Random in each process, so that the author of a program cannot cause collisions. */
const FACTOR = randomInt(2 ** 31) * 2 + 1;
