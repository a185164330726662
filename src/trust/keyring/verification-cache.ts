import { asBuffer } from "../asn1/der.js";
import type { Window } from "../base/window.js";
import type { SignatureType } from "../formats/formats.js";
import type { Verification } from "../model/verification.js";

/** Bytes of data and signatures in the cache: enough for about two thousand programs with their signatures. */
const CAPACITY = 4 * 1024 * 1024;
/** Larger inputs are not cached. */
const MAX_SIZE = CAPACITY / 8;

/**
 * A cache of verification results, keyed by the data, the signature and its type, and valid for the time window in
 * which the result cannot change. One cache belongs to one version of one keyring. The Map is keyed by a few bytes,
 * and a hit is confirmed by comparing all bytes, so that a lookup costs two memory comparisons and no hash. The bytes
 * are stored in a ring, whose oldest entries are overwritten. An LruCache would allocate two buffers for each entry and
 * scan its deleted entries on each eviction: keeping a result in a full cache then takes 5 to 7 µs instead of 1 to 1.5.
 */
export class VerificationCache {
  readonly #entries = new Map<number, Entry>();
  /** In the order of insertion; those before `#oldest` have been overwritten. */
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

  /** Copies the data and the signature, so the caller may reuse its buffers. */
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

  /** Returns where `size` bytes may be written; removes the entries that they overwrite. */
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

/**
 * How many overwritten entries may remain in `#order` before it is compacted. (A Map as the queue would scan its
 * deleted entries on each removal.)
 */
const COMPACT = 4096;

interface Entry {
  readonly key: number;
  /** Offsets in the ring: the data from `start`, the signature from `middle` to `end`. */
  readonly start: number;
  readonly middle: number;
  readonly end: number;
  readonly type: SignatureType;
  readonly from: number;
  readonly until: number;
  readonly verification: Verification;
}

/**
 * A 32-bit integer, since a Map finds those fastest. It uses the signature's last bytes, which are close to random in a
 * real signature.
 */
function keyOf(data: Uint8Array, signature: Uint8Array): number {
  const { length } = signature;
  return length < 4 ? data.length : asBuffer(signature).readInt32LE(length - 4) ^ data.length;
}
