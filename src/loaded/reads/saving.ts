import { createHash } from "node:crypto";
import type { Raw, Reads } from "./reads.js";

/** Where results are kept. */
export interface ResultStore {
  /** Takes one result, which has a name of its own. */
  add(result: SavedResult, bytes: Uint8Array): void;
  /** Waits until the results so far are written. */
  stored(): Promise<void>;
}

/** What the manifest says of a result. */
export interface SavedResult {
  readonly name: string;
  /** When it was read. */
  readonly time: Date;
  /** The errno of the read, which then has no bytes; null if it succeeded. */
  readonly errno: number | null;
  readonly size: number;
  /** The SHA-256 of the bytes, as 64 hex digits. */
  readonly sha256: string;
}

/**
 * Asks the kernel and keeps each result as it is read. A result that is asked for again is the same: what views found
 * is what the archive has.
 */
export class Saving implements Reads {
  readonly isLive = true;
  readonly missing = [];
  /** For results that no view asks for, each once: none of them stays in memory. */
  readonly further: Reads = {
    isLive: true,
    missing: [],
    bytes: (name, read) => this.#seen.get(name) ?? this.#kept(name, read),
    live: (act) => act(),
    stored: () => this.store.stored(),
  };
  readonly #seen = new Map<string, Raw>();
  readonly #names = new Set<string>();

  constructor(readonly store: ResultStore) {}

  bytes(name: string, read: () => Raw): Raw {
    const seen = this.#seen.get(name);
    if (seen !== undefined) return seen;
    const raw = this.#kept(name, read);
    this.#seen.set(name, raw);
    return raw;
  }

  live(act: () => void): void {
    act();
  }

  stored(): Promise<void> {
    return this.store.stored();
  }

  #kept(name: string, read: () => Raw): Raw {
    if (this.#names.has(name)) throw new Error(`${name} would be stored twice`);
    this.#names.add(name);
    const time = new Date();
    const raw = read();
    const bytes = typeof raw === "number" ? new Uint8Array(0) : raw;
    const errno = typeof raw === "number" ? -raw : null;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    this.store.add({ name, time, errno, size: bytes.byteLength, sha256 }, bytes);
    return raw;
  }
}
