import type { Bytes } from "./bytes.js";

/**
 * How often each byte of a table may be read on average. Linkers share suffixes: a string can be the end of another
 * one. Without this limit, a table in which every offset is used would take time quadratic in its size.
 */
const OVERLAP = 4;
/** Number of bytes that may be read from any table, however small. */
const ALWAYS = 1 << 16;

/** A table of NUL-terminated strings. Each is decoded once. */
export class Strings {
  readonly #known = new Map<number, string>();
  #left: number;

  constructor(readonly bytes: Bytes) {
    this.#left = ALWAYS + OVERLAP * bytes.length;
  }

  /**
   * The string at an offset. Throws like {@link Bytes.text}, and if strings overlap more than in the output of any
   * linker.
   */
  text(at: number): string {
    let text = this.#known.get(at);
    if (text === undefined) {
      text = this.bytes.text(at);
      this.#left -= text.length + 1;
      if (this.#left < 0) throw this.bytes.error("too many of its strings overlap");
      this.#known.set(at, text);
    }
    return text;
  }
}
