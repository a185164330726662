import type { BtfStrings } from "./btf-strings.js";
import { type HashedName, hashName } from "./essential-name.js";

/**
 * The types of some kinds by essential name. A hash table with chains in ascending order of ids, in two arrays: an
 * object for each of a kernel's 130,000 types would take 30 MB.
 */
export class NameIndex {
  /** The first row of each chain plus one, and the next row of each row plus one; 0 ends a chain. */
  readonly #heads: Int32Array;
  readonly #next: Int32Array;

  /** `words` is the type section, `places` the place in it of each row, and `kinds` has a bit for each kind. */
  constructor(
    readonly strings: BtfStrings,
    readonly words: Uint32Array,
    readonly places: Uint32Array,
    kinds: number,
  ) {
    const count = places.length;
    this.#heads = new Int32Array(2 ** Math.ceil(Math.log2(count + 1)));
    this.#next = new Int32Array(count);
    const mask = this.#heads.length - 1;
    for (let row = count - 1; row >= 0; row--) {
      const place = places[row]!;
      if (((kinds >>> ((words[place + 1]! >>> 24) & 31)) & 1) === 0 || words[place] === 0) continue;
      strings.hash(words[place]!, scratch);
      if (scratch.whole === 0) continue;
      const slot = scratch.hash & mask;
      this.#next[row] = this.#heads[slot]!;
      this.#heads[slot] = row + 1;
    }
  }

  /** The rows whose essential name is that of `name`, ascending. With `exact`, those with the same flavour too. */
  *find(name: string, exact: boolean): Generator<number> {
    const bytes = Buffer.from(name);
    if (bytes.length === 0 || bytes.includes(0)) return;
    hashName(bytes, 0, scratch);
    const { hash, length } = scratch;
    const wanted = exact ? bytes : bytes.subarray(0, length);
    for (let at = this.#heads[hash & (this.#heads.length - 1)]!; at !== 0; at = this.#next[at - 1]!) {
      const offset = this.words[this.places[at - 1]!]!;
      if (!this.strings.startsWith(offset, wanted)) continue;
      this.strings.measure(offset, scratch);
      if ((exact ? scratch.whole : scratch.length) === wanted.length) yield at - 1;
    }
  }
}

const scratch: HashedName = { length: 0, hash: 0, whole: 0 };
