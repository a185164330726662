import { randomInt } from "node:crypto";

/** A symbol of /proc/kallsyms. */
export interface KernelSymbol {
  readonly name: string;
  /** The module that it belongs to, also `bpf` and other generated code; null for the kernel itself. */
  readonly module: string | null;
}

/** Bytes of a line: the digits of the address, two characters around the type, and the shortest name. */
const SHORTEST = 20;
const DIGITS = 16;
const [NEWLINE, SPACE] = [0x0a, 0x20];

/**
 * The symbols of a kernel by address, from the text of /proc/kallsyms: `address type name`, and for a module `[name]`
 * after a tab. Addresses have 16 hex digits: they are words of 64 bits. A hash table in arrays, since a kernel has
 * 250,000 symbols. Lines of another form are ignored.
 */
export class KernelSymbols {
  readonly #text: Buffer;
  /** For each line: its place, the words of its address, and the next line with the same hash plus one. */
  readonly #places: Uint32Array;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #next: Int32Array;
  readonly #heads: Int32Array;
  #count = 0;

  constructor(text: Uint8Array) {
    this.#text = Buffer.from(text.buffer, text.byteOffset, text.length);
    const most = Math.ceil(text.length / SHORTEST) + 1;
    this.#places = new Uint32Array(most);
    this.#low = new Int32Array(most);
    this.#high = new Int32Array(most);
    this.#next = new Int32Array(most);
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(most + 1)));
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf(NEWLINE, at);
      const next = end === -1 ? text.length : end;
      if (next - at >= SHORTEST) this.#add(at);
      at = next + 1;
    }
  }

  /** Whether the kernel shows no addresses (sysctl kernel.kptr_restrict, or no CAP_SYSLOG): all are 0. */
  get isHidden(): boolean {
    for (let line = 0; line < this.#count; line++) if (this.#low[line] !== 0 || this.#high[line] !== 0) return false;
    return true;
  }

  /** The symbols at exactly this address, given as its low and high word. */
  at(low: number, high: number): readonly KernelSymbol[] {
    const found: KernelSymbol[] = [];
    for (let line = this.#heads[this.#slot(low, high)]! - 1; line >= 0; line = this.#next[line]! - 1)
      if (this.#low[line] === (low | 0) && this.#high[line] === (high | 0)) {
        const symbol = this.#symbol(line);
        if (symbol !== null) found.push(symbol);
        if (found.length === MOST_NAMES) break;
      }
    return found;
  }

  /** The address of a symbol of the kernel itself; null if it has none, or several. */
  address(name: string): { readonly low: number; readonly high: number } | null {
    let found: { low: number; high: number } | null = null;
    const wanted = Buffer.from(` ${name}\n`, "latin1");
    for (let at = this.#text.indexOf(wanted); at !== -1; at = this.#text.indexOf(wanted, at + 1)) {
      const start = this.#text.lastIndexOf(NEWLINE, at) + 1;
      const [high, low] = [this.#word(start), this.#word(start + 8)];
      if (at !== start + DIGITS + 2 || high === null || low === null) continue;
      if (found !== null && (found.low !== low || found.high !== high)) return null;
      found = { low, high };
    }
    return found;
  }

  #add(at: number): void {
    const high = this.#word(at);
    const low = this.#word(at + 8);
    if (high === null || low === null || this.#text[at + DIGITS] !== SPACE || this.#text[at + DIGITS + 2] !== SPACE)
      return;
    const line = this.#count++;
    const slot = this.#slot(low, high);
    this.#places[line] = at + DIGITS + 3;
    this.#low[line] = low;
    this.#high[line] = high;
    this.#next[line] = this.#heads[slot]!;
    this.#heads[slot] = line + 1;
  }

  /** Eight hex digits as a word; null if a character is no digit. */
  #word(at: number): number | null {
    let word = 0;
    for (let index = at; index < at + 8; index++) {
      const digit = digitOf(this.#text[index] ?? 0);
      if (digit < 0) return null;
      word = (word << 4) | digit;
    }
    return word;
  }

  #slot(low: number, high: number): number {
    return (Math.imul(low ^ Math.imul(high, FACTORS[0]!), FACTORS[1]!) >>> 8) & (this.#heads.length - 1);
  }

  /** Null if the name has characters that no symbol has. */
  #symbol(line: number): KernelSymbol | null {
    const start = this.#places[line]!;
    const end = this.#text.indexOf(NEWLINE, start);
    const text = this.#text.toString("latin1", start, end === -1 ? undefined : Math.min(end, start + LONGEST));
    const [, name, module] = NAMES.exec(text) ?? [];
    return name === undefined ? null : { name, module: module ?? null };
  }
}

const NAMES = /^([!-~]+)(?:\t\[([!-~]+)\])?$/;
/** Random in each process: the text may be a file of others. */
const FACTORS = Array.from({ length: 2 }, () => randomInt(2 ** 31) * 2 + 1);
/** More than a kernel has for one address of a function. */
const MOST_NAMES = 32;
/** KSYM_NAME_LEN is 512 in Linux 6.1 and later; a module's name has at most 56 bytes. */
const LONGEST = 640;

function digitOf(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  return character >= 0x61 && character <= 0x66 ? character - 0x57 : -1;
}
