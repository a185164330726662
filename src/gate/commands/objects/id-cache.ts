import { LruCache } from "../../../lru-cache.js";

/**
 * LRU cache of what is known of the kernel's objects by their ids. Entries are valid for a minute: the kernel gives an
 * id again once it has given all 2^31 (idr_alloc_cyclic), which takes a task at least half an hour.
 */
export class IdCache<T> {
  readonly #entries: LruCache<number, Entry<T>>;

  constructor(maxEntries: number) {
    this.#entries = new LruCache(maxEntries);
  }

  get(id: number): T | undefined {
    const entry = this.#entries.get(id);
    return entry === undefined || performance.now() > entry.until ? undefined : entry.value;
  }

  set(id: number, value: T): void {
    this.#entries.set(id, { value, until: performance.now() + VALID });
  }
}

interface Entry<T> {
  readonly value: T;
  /** In milliseconds of performance.now(). */
  readonly until: number;
}

/** In milliseconds. */
const VALID = 60_000;
