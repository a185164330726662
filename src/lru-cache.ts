/** An LRU cache, bounded by the number of its entries and optionally by their bytes. */
export class LruCache<K, V> {
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly #entries = new Map<K, { readonly value: V; readonly bytes: number }>();
  /** The most recently used key. It is already last in the map; most keys are used several times in a row. */
  #last: K | undefined;
  #bytes = 0;

  /** Without a limit nothing is evicted, and the order is of no use. */
  readonly #evicts: boolean;

  constructor(
    private readonly maxEntries: number,
    private readonly maxBytes = Number.POSITIVE_INFINITY,
  ) {
    this.#evicts = Number.isFinite(maxEntries) || Number.isFinite(maxBytes);
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The value, which becomes the most recently used one; undefined if there is none. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (key !== this.#last && this.#evicts) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      this.#last = key;
    }
    return entry.value;
  }

  /** The value, without making it the most recently used one. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Sets the value and evicts the least recently used entries; also this one if it alone exceeds `maxBytes`. */
  set(key: K, value: V, bytes = 0): void {
    this.delete(key);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    this.#last = key;
    if (!this.#isFull()) return;
    for (const oldest of this.#entries.keys()) {
      this.delete(oldest);
      if (!this.#isFull()) break;
    }
  }

  /** Least recently used first. */
  *entries(): Generator<readonly [key: K, value: V]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  /** Returns whether there was an entry. */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#bytes -= entry.bytes;
    if (key === this.#last) this.#last = undefined;
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
    this.#last = undefined;
  }

  #isFull(): boolean {
    return this.#entries.size > this.maxEntries || this.#bytes > this.maxBytes;
  }
}
