import type { Bytes } from "./bytes.js";

/**
 * How often each byte of a table may be read as part of a string that starts elsewhere: linkers let one string be the
 * end of another. A table in which every offset is read as a string of its own would otherwise take the square of its
 * size.
 */
const OVERLAP = 4;
/** Any table may have this many bytes read. */
const ALWAYS = 1 << 16;

/** A table of NUL-terminated strings. Each is decoded once. */
export class Strings {
  readonly #known = new Map<number, string>();
  #left: number;

  constructor(readonly bytes: Bytes) {
    this.#left = ALWAYS + OVERLAP * bytes.length;
  }

  /** The string at an offset. Throws as {@link Bytes.text}, and where strings overlap more than any linker has them. */
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
