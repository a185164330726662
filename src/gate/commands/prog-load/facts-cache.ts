import { createHash } from "node:crypto";
import { LruCache } from "../../../lru-cache.js";

/**
 * LRU cache of facts about loads, by the input bytes that the facts depend on. The hash samples only the start and end
 * of each part, which is faster than hashing all bytes. A hit is verified by comparing all bytes, or the SHA-256 of a
 * part that is longer than KEPT_WHOLE. An entry with the same hash and other bytes is overwritten.
 */
export class FactsCache<T> {
  readonly #entries: LruCache<number, Entry<T>>;

  constructor(maxEntries: number, maxBytes: number) {
    this.#entries = new LruCache(maxEntries, maxBytes);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(parts: readonly Uint8Array[]): T | undefined {
    const entry = this.#entries.get(placeOf(parts));
    if (entry === undefined || !entry.parts.every((part, index) => isSame(part, parts[index]!))) return undefined;
    return entry.value;
  }

  /** `bytes` is the approximate size of the value. */
  set(parts: readonly Uint8Array[], value: T, bytes: number): void {
    const own = parts.map(condensed);
    const all = own.reduce((sum, part) => sum + part.bytes.byteLength, bytes);
    this.#entries.set(placeOf(parts), { parts: own, value }, all);
  }
}

interface Entry<T> {
  readonly parts: readonly Part[];
  readonly value: T;
}

/** A part of at most this many bytes is stored whole; of a longer one the SHA-256 is stored. */
const KEPT_WHOLE = 8192;
/** Number of words of 32 bits at each end of a part that go into the hash. */
const LOOKED_AT = 128;

/** A stored part: its original length, and its bytes or their SHA-256. */
interface Part {
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** Copies the part, because its memory belongs to a call. */
function condensed(part: Uint8Array): Part {
  return { length: part.byteLength, bytes: part.byteLength > KEPT_WHOLE ? digestOf(part) : new Uint8Array(part) };
}

function isSame({ length, bytes }: Part, part: Uint8Array): boolean {
  if (length !== part.byteLength) return false;
  return length === 0 || Buffer.compare(bytes, length > KEPT_WHOLE ? digestOf(part) : part) === 0;
}

function digestOf(part: Uint8Array): Uint8Array {
  return createHash("sha256").update(part).digest();
}

function placeOf(parts: readonly Uint8Array[]): number {
  let place = 0;
  for (const part of parts) {
    const length = part.byteLength;
    place = mixed(place, length);
    if (length < 4) continue;
    const words = wordsOf(part);
    const first = Math.min(words.length, LOOKED_AT);
    for (let at = 0; at < first; at += 1) place = mixed(place, words[at]!);
    for (let at = Math.max(first, words.length - LOOKED_AT); at < words.length; at += 1)
      place = mixed(place, words[at]!);
  }
  return place;
}

/** The whole words of a part. One that does not begin at a multiple of 4 is copied: slice() of a Buffer shares. */
function wordsOf(part: Uint8Array): Int32Array {
  const { buffer, byteOffset } = part.byteOffset % 4 === 0 ? part : new Uint8Array(part);
  return new Int32Array(buffer, byteOffset, part.byteLength >>> 2);
}

function mixed(place: number, word: number): number {
  const next = Math.imul(place ^ word, 0x9e3779b1);
  return next ^ (next >>> 15);
}
