/** Reads byte ranges from pieces of any size, in order. */
export class PieceReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes: fewer than `length` at the end. */
  async read(length: number): Promise<Uint8Array> {
    const available = this.#piece.subarray(this.#at, this.#at + length);
    if (available.length === length) {
      this.#at += length;
      return available;
    }
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length && (await this.#fill())) {
      const part = this.#piece.subarray(this.#at, this.#at + length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#at += part.length;
    }
    return bytes.subarray(0, filled);
  }

  /** Returns the number of skipped bytes: fewer than `length` at the end. */
  async skip(length: number): Promise<number> {
    let skipped = 0;
    while (skipped < length && (await this.#fill())) {
      const part = Math.min(this.#piece.length - this.#at, length - skipped);
      skipped += part;
      this.#at += part;
    }
    return skipped;
  }

  /** Reads the rest, for errors in it. */
  async drain(): Promise<void> {
    while ((await this.skip(Number.MAX_SAFE_INTEGER)) > 0);
  }

  /** Ends the pieces without reading the rest. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  /** Whether there is another byte. */
  async #fill(): Promise<boolean> {
    while (this.#at >= this.#piece.length) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return false;
      this.#piece = value;
      this.#at = 0;
    }
    return true;
  }
}
