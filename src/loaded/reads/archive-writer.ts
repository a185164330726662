import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Pack, pack } from "tar-stream";
import { archiveLine, MANIFEST, manifestLine } from "./manifest.js";
import type { ResultStore, SavedResult } from "./saving.js";

/** Only the owner may read it: it has kernel addresses and contents of maps. */
const MODE = 0o600;

/** Writes results to a tar as they come, and at its end a manifest of them. */
export class ArchiveWriter implements ResultStore {
  readonly #pack: Pack = pack();
  /** Settles when the whole archive is written, or cannot be. */
  readonly #written: Promise<void>;
  readonly #lines: string[];
  #last: Promise<void> = Promise.resolve();

  constructor(out: Writable) {
    this.#lines = [archiveLine(new Date())];
    this.#written = pipeline(Readable.from(this.#pack), out);
    // whoever waits for it is told
    this.#written.catch(() => {});
    this.#pack.on("error", () => {});
  }

  add(result: SavedResult, bytes: Uint8Array): void {
    this.#lines.push(manifestLine(result));
    if (result.errno === null) this.#add(result.name, bytes, result.time);
  }

  /** Throws what writing throws. */
  async stored(): Promise<void> {
    await Promise.race([this.#last, this.#written]);
  }

  /** Writes the manifest and ends the output. Throws what writing throws. */
  async close(): Promise<void> {
    this.#add(MANIFEST, Buffer.from(`${this.#lines.join("\n")}\n`), new Date());
    this.#pack.finalize();
    await this.#written;
  }

  /** Ends the output without a manifest: what was written cannot be opened. */
  async abandon(): Promise<void> {
    this.#pack.destroy();
    await this.#written.catch(() => {});
  }

  #add(name: string, bytes: Uint8Array, mtime: Date): void {
    this.#last = new Promise((resolve, reject) => {
      const header = { name, size: bytes.byteLength, mode: MODE, mtime };
      const entry = this.#pack.entry(header, bytes, (error) => (error ? reject(error) : resolve()));
      // the promises have it
      entry.on("error", () => {});
    });
    this.#last.catch(() => {});
  }
}
