import { asBuffer } from "./asn1/der.js";
import type { SignatureType, Verification } from "./verification.js";
import type { Window } from "./window.js";

/** Bytes that remembered data and signatures take together: some two thousand programs with their signatures. */
const CAPACITY = 4 * 1024 * 1024;
/** What is larger is verified each time. */
const MAX_SIZE = CAPACITY / 8;

/**
 * What came of verifications, by all that they came from: the bytes, the signature and its type, in the window of time in which nothing
 * about the result changes. One memo belongs to one generation of one keyring. Entries are found by a few bytes and then compared
 * whole, so that a lookup costs two comparisons of memory and no hash; they lie in a ring that is written over from its beginning.
 */
export class VerificationMemo {
  readonly #entries = new Map<number, Entry>();
  /** In the order in which they lie in the ring; those before `#oldest` are gone. */
  #order: Entry[] = [];
  #oldest = 0;
  #ring: Buffer | null = null;
  #end = 0;

  find(data: Uint8Array, signature: Uint8Array, type: SignatureType, at: number): Verification | null {
    const entry = this.#entries.get(keyOf(data, signature));
    if (entry === undefined || entry.type !== type || at < entry.from || at >= entry.until) return null;
    const { start, middle, end } = entry;
    return this.#holds(start, middle, data) && this.#holds(middle, end, signature) ? entry.verification : null;
  }

  /** Copies both, so that a caller may use its memory again. */
  keep(data: Uint8Array, signature: Uint8Array, type: SignatureType, window: Window, verification: Verification): void {
    const size = data.length + signature.length;
    if (size > MAX_SIZE) return;
    this.#ring ??= Buffer.allocUnsafeSlow(CAPACITY);
    const start = this.#make(size);
    const middle = start + data.length;
    const end = start + size;
    this.#ring.set(data, start);
    this.#ring.set(signature, middle);
    const key = keyOf(data, signature);
    const entry: Entry = { key, start, middle, end, type, from: window.from, until: window.until, verification };
    this.#entries.set(key, entry);
    this.#order.push(entry);
    this.#end = end;
  }

  #holds(start: number, end: number, bytes: Uint8Array): boolean {
    return end - start === bytes.length && (this.#ring as Buffer).compare(bytes, 0, bytes.length, start, end) === 0;
  }

  /** Where `size` bytes may be written; entries that lay there are forgotten. */
  #make(size: number): number {
    const wraps = this.#end + size > CAPACITY;
    const start = wraps ? 0 : this.#end;
    for (; this.#oldest < this.#order.length; this.#oldest++) {
      const entry = this.#order[this.#oldest] as Entry;
      const ahead = entry.start >= this.#end;
      if (wraps ? !ahead && entry.start >= size : !ahead || entry.start >= start + size) break;
      if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    }
    if (this.#oldest > COMPACT) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    return start;
  }
}

/** How many entries may be gone before their places are: a Map that forgets from its beginning would look at them each time. */
const COMPACT = 4096;

interface Entry {
  readonly key: number;
  /** In the ring: the data from `start`, the signature from `middle` to `end`. */
  readonly start: number;
  readonly middle: number;
  readonly end: number;
  readonly type: SignatureType;
  readonly from: number;
  readonly until: number;
  readonly verification: Verification;
}

/** A small integer, which a Map finds soonest, from the signature's last bytes, which are as good as random in an honest one. */
function keyOf(data: Uint8Array, signature: Uint8Array): number {
  const { length } = signature;
  return length < 4 ? data.length : asBuffer(signature).readInt32LE(length - 4) ^ data.length;
}
