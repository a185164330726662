import type { Bytes } from "../elf/bytes.js";
import { Strings } from "../elf/strings.js";
import { type HashedName, hashName } from "./essential-name.js";

/**
 * How often each byte may be hashed on average. In a kernel, types share names; without a limit, all could share one.
 */
const SHARED = 16;
const ALWAYS = 1 << 16;

/** The strings of a BTF. Those of split BTF follow those of its base, and have the offsets after them. */
export class BtfStrings {
  /** Number of bytes, those of the base included. */
  readonly end: number;
  readonly #start: number;
  readonly #own: Strings;
  #left: number;

  constructor(
    bytes: Bytes,
    readonly base: BtfStrings | null,
  ) {
    this.#own = new Strings(bytes);
    this.#start = base?.end ?? 0;
    this.end = this.#start + bytes.length;
    this.#left = ALWAYS + SHARED * this.end;
  }

  /** Offset 0 is the empty string. */
  text(offset: number): string {
    if (offset === 0) return "";
    return this.base !== null && offset < this.#start ? this.base.text(offset) : this.#own.text(offset - this.#start);
  }

  /** Hashes the name at an offset. Throws if it has no end, or if names overlap more than in any known kernel. */
  hash(offset: number, into: HashedName): void {
    if (this.base !== null && offset < this.#start) {
      this.base.hash(offset, into);
      return;
    }
    const { bytes } = this.#own;
    const at = offset - this.#start;
    hashName(bytes.raw, at, into);
    if (at + into.whole >= bytes.length) throw bytes.error(`the string at offset ${at} has no end`);
    this.#left -= into.whole;
    if (this.#left < 0) throw bytes.error("too many of its strings overlap");
  }

  /** As {@link hash}, of a name that was hashed before. */
  measure(offset: number, into: HashedName): void {
    if (this.base !== null && offset < this.#start) this.base.measure(offset, into);
    else hashName(this.#own.bytes.raw, offset - this.#start, into);
  }

  /** Whether the string at an offset begins with these bytes. */
  startsWith(offset: number, name: Uint8Array): boolean {
    if (this.base !== null && offset < this.#start) return this.base.startsWith(offset, name);
    const { raw } = this.#own.bytes;
    const at = offset - this.#start;
    for (let i = 0; i < name.length; i++) if (raw[at + i] !== name[i]) return false;
    return true;
  }
}
