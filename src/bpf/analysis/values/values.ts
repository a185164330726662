import { randomInt } from "node:crypto";
import { FrameSets } from "./frame-sets.js";
import { ANY_FRAME, ANY_NUMBER, ANY_OFFSET, FOLLOWED, KIND, OF_MAPS, POINTERS } from "./kinds.js";
import { bitOf } from "./numbers.js";
import type { Scratch } from "./scratch.js";

/** Mask of the known bytes of a number: all eight. */
export const ALL_BYTES = 0xff;
/** Mask of the known bytes: the upper four. */
export const UPPER_BYTES = 0xf0;
/** Mask of the known bytes: the lower four. */
export const LOWER_BYTES = 0x0f;

/**
 * The values of registers. Each distinct value is stored once and identified by a small integer, so values are compared
 * as integers, and a state is an array of them. A value has kinds; the maps that it may belong to; an offset and a
 * frame; and for a number, the known bytes (bit n of `mask` for byte n of `lo` and `hi`, lowest first) and the set of
 * its possible low words. A value that is only a number has no offset, and stores the set of its high words there (0
 * for any): two numbers may share a stack slot. A number that was computed from an address stores the bytes that may be
 * of it there (addresses.ts). Fields that a kind does not need hold what connects a value with written bytes of the
 * stack (states/written-bytes.ts): a number that is the result of a call has that call's tag as its frame, and a
 * pointer that is a parameter of its function has the parameter and the distance from it as `lo` and `hi`.
 */
export class Values {
  /** Eight fields for each value: kinds, maps, offset, frame, lo, hi, mask, set. */
  #rows: Int32Array;
  #size = 0;
  /** Hash table with open addressing, from the hash of a row to its value; -1 if free. */
  #index: Int32Array;
  /** Direct-mapped cache of joins: two operands and the result. */
  readonly #joins: Int32Array;
  /** Cache of constants from -SMALL to SMALL - 1. */
  readonly #small: Int32Array;
  /** The sets for frame numbers below ANY_FRAME. */
  readonly frameSets = new FrameSets();
  /** Called when the next value no longer fits into 16 bits. */
  onWide: () => void = () => {};
  /** Any number. */
  readonly any: number;
  /** Any number below 2^32: the result of a load of less than eight bytes. */
  readonly any32: number;

  /** `instructions`: length of the program, which determines the size of caches. */
  constructor(instructions: number, scratch: Scratch) {
    this.#rows = scratch.take(FIRST * 8);
    this.#index = scratch.take(FIRST * 2).fill(-1);
    this.#small = scratch.take(SMALL * 2).fill(-1);
    this.#joins = scratch.take(3 * (instructions > 4 * JOINS ? 16 * JOINS : JOINS)).fill(-1);
    this.any = this.intern(KIND.NUMBER, 0, 0, ANY_FRAME, 0, 0, 0, ANY_NUMBER);
    this.any32 = this.intern(KIND.NUMBER, 0, 0, ANY_FRAME, 0, 0, UPPER_BYTES, ANY_NUMBER);
  }

  kinds(value: number): number {
    return this.#rows[value << 3]!;
  }
  maps(value: number): number {
    return this.#rows[(value << 3) + 1]!;
  }
  offset(value: number): number {
    return this.#rows[(value << 3) + 2]!;
  }
  frame(value: number): number {
    return this.#rows[(value << 3) + 3]!;
  }
  lo(value: number): number {
    return this.#rows[(value << 3) + 4]!;
  }
  hi(value: number): number {
    return this.#rows[(value << 3) + 5]!;
  }
  mask(value: number): number {
    return this.#rows[(value << 3) + 6]!;
  }
  /** The set of possible low words (numbers.ts); all numbers if the value may be a pointer. */
  set(value: number): number {
    return (this.#rows[value << 3]! & POINTERS) === 0 ? this.#rows[(value << 3) + 7]! : ANY_NUMBER;
  }
  /** The set of possible high words. */
  highSet(value: number): number {
    const row = value << 3;
    const rows = this.#rows;
    if (rows[row] !== KIND.NUMBER) return ANY_NUMBER;
    return highSet(rows[row + 2]!, rows[row + 5]!, rows[row + 6]!);
  }
  /** The tag (call-tags.ts) of the call whose result a number is; -1 for none. */
  tag(value: number): number {
    const row = value << 3;
    return this.#rows[row] === KIND.NUMBER ? this.#rows[row + 3]! : -1;
  }
  /** Which parameter of its function (1 to 5) a pointer was computed from; 0 if that is not known. */
  parameter(value: number): number {
    const row = value << 3;
    return (this.#rows[row]! & KIND.NUMBER) === 0 ? this.#rows[row + 4]! : 0;
  }
  /** How far a pointer is from its parameter; may be ANY_OFFSET. */
  fromParameter(value: number): number {
    return this.#rows[(value << 3) + 5]!;
  }
  isConstant(value: number): boolean {
    return this.#rows[value << 3] === KIND.NUMBER && this.#rows[(value << 3) + 6] === ALL_BYTES;
  }

  /** A known number as two words. By default `hi` is the sign extension of `lo`. */
  constant(lo: number, hi: number = lo >> 31): number {
    if (hi !== lo >> 31 || lo < -SMALL || lo >= SMALL)
      return this.intern(KIND.NUMBER, 0, 0, ANY_FRAME, lo, hi, ALL_BYTES, bitOf(lo));
    const known = this.#small[lo + SMALL]!;
    if (known >= 0) return known;
    const value = this.intern(KIND.NUMBER, 0, 0, ANY_FRAME, lo, hi, ALL_BYTES, bitOf(lo));
    this.#small[lo + SMALL] = value;
    return value;
  }

  /** A number of which only some bytes, or only the sets of its words, are known. */
  number(lo: number, hi: number, mask: number, set: number, high: number = ANY_NUMBER): number {
    return this.intern(KIND.NUMBER, 0, high === ANY_NUMBER ? 0 : high, ANY_FRAME, lo, hi, mask, set);
  }

  /** A pointer of these kinds. If they include NUMBER, the value may also be any number. */
  pointer(kinds: number, maps = 0, offset: number = ANY_OFFSET, frame: number = ANY_FRAME): number {
    return this.intern(
      kinds,
      (kinds & OF_MAPS) !== 0 ? maps : 0,
      (kinds & FOLLOWED) !== 0 ? offset : (kinds & POINTERS) === 0 && (kinds & KIND.ADDRESS) !== 0 ? ALL_BYTES : 0,
      (kinds & KIND.STACK) !== 0 ? frame : ANY_FRAME,
      0,
      0,
      0,
      (kinds & KIND.NUMBER) !== 0 ? ANY_NUMBER : 0,
    );
  }

  /** The same value with ADDRESS; of a number, `offset` says which of its bytes (addresses.ts). */
  marked(value: number, offset: number): number {
    const [kinds, maps, , frame, lo, hi, mask, set] = this.#rows.subarray(
      value << 3,
      (value << 3) + 8,
    ) as unknown as Row;
    // The frame of a number is a tag.
    const of = kinds === KIND.NUMBER ? ANY_FRAME : frame;
    return this.intern(kinds | KIND.ADDRESS, maps, offset, of, lo, hi, mask, set);
  }

  /** The same number, as the result of the call with this tag. */
  withTag(value: number, tag: number): number {
    const row = value << 3;
    const rows = this.#rows;
    if (rows[row] !== KIND.NUMBER || rows[row + 3] === tag) return value;
    return this.intern(
      KIND.NUMBER,
      0,
      rows[row + 2]!,
      tag,
      rows[row + 4]!,
      rows[row + 5]!,
      rows[row + 6]!,
      rows[row + 7]!,
    );
  }

  /** The same pointer, at a distance from a parameter of its function; parameter 0 for none. */
  withParameter(value: number, parameter: number, distance: number): number {
    const row = value << 3;
    const rows = this.#rows;
    if ((rows[row]! & KIND.NUMBER) !== 0) return value;
    if (rows[row + 4] === parameter && rows[row + 5] === distance) return value;
    return this.intern(rows[row]!, rows[row + 1]!, rows[row + 2]!, rows[row + 3]!, parameter, distance, 0, 0);
  }

  /** The same value for another function, which knows neither calls nor parameters of this one. */
  detached(value: number): number {
    const row = value << 3;
    return (this.#rows[row]! & KIND.NUMBER) === 0 ? this.withParameter(value, 0, 0) : this.withTag(value, -1);
  }

  /** The value that may be either operand. */
  join(a: number, b: number): number {
    if (a === b) return a;
    const joins = this.#joins;
    const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    const at = 3 * ((mixed >>> 8) & (joins.length / 3 - 1));
    if (joins[at] === a && joins[at + 1] === b) return joins[at + 2]!;
    const value = this.#join(a, b);
    joins[at] = a;
    joins[at + 1] = b;
    joins[at + 2] = value;
    return value;
  }

  /** Like `join`, but a number that changes becomes any number, so that a loop ends after a few iterations. */
  widen(a: number, b: number): number {
    const joined = this.join(a, b);
    if (joined === a || (this.kinds(joined) & KIND.NUMBER) === 0) return joined;
    const rows = this.#rows;
    const from = a << 3;
    const to = joined << 3;
    if (rows[from + 6] === rows[to + 6] && rows[from + 7] === rows[to + 7]) return joined;
    const offset = rows[to] === KIND.NUMBER ? 0 : rows[to + 2]!;
    return this.intern(rows[to]!, rows[to + 1]!, offset, rows[to + 3]!, 0, 0, 0, ANY_NUMBER);
  }

  #join(a: number, b: number): number {
    const rows = this.#rows;
    const x = a << 3;
    const y = b << 3;
    const kinds = rows[x]! | rows[y]!;
    let offset =
      kinds === KIND.NUMBER
        ? eitherSet(this.highSet(a), this.highSet(b))
        : (kinds & FOLLOWED) === 0
          ? kinds === (KIND.NUMBER | KIND.ADDRESS)
            ? this.#addressBytes(x) | this.#addressBytes(y)
            : 0
          : either(rows[x]!, rows[y]!, FOLLOWED, rows[x + 2]!, rows[y + 2]!, ANY_OFFSET);
    let frame =
      kinds === KIND.NUMBER
        ? rows[x + 3] === rows[y + 3]
          ? rows[x + 3]!
          : -1
        : (kinds & KIND.STACK) === 0
          ? ANY_FRAME
          : either(rows[x]!, rows[y]!, KIND.STACK, rows[x + 3]!, rows[y + 3]!, ANY_FRAME);
    if ((rows[x]! & rows[y]! & KIND.STACK) !== 0 && rows[x + 3] !== rows[y + 3]) {
      // If several kinds share the offset, it must be the same for all of them.
      const shared = (kinds & FOLLOWED) !== KIND.STACK;
      const at = (row: number) => (shared ? ANY_OFFSET : rows[row + 2]!);
      [frame, offset] = this.frameSets.join(rows[x + 3]!, at(x), rows[y + 3]!, at(y));
    }
    const number = (rows[x]! & KIND.NUMBER) !== 0 ? x : y;
    let mask = rows[number + 6]!;
    if ((rows[x]! & rows[y]! & KIND.NUMBER) !== 0)
      mask &= rows[y + 6]! & (equalBytes(rows[x + 4]!, rows[y + 4]!) | (equalBytes(rows[x + 5]!, rows[y + 5]!) << 4));
    const set = rows[x + 7]! | rows[y + 7]!;
    let lo = rows[number + 4]!;
    let hi = rows[number + 5]!;
    if ((kinds & KIND.NUMBER) === 0) {
      if (rows[x + 4] !== lo) lo = hi = 0;
      else if (rows[x + 5] !== hi) hi = ANY_OFFSET;
    }
    return this.intern(kinds, rows[x + 1]! | rows[y + 1]!, offset, frame, lo, hi, mask, set);
  }

  #addressBytes(row: number): number {
    return (this.#rows[row]! & KIND.ADDRESS) === 0 ? 0 : this.#rows[row + 2]!;
  }

  /** The identifier of a value. Fields that its kinds do not have must be 0 (`frame` -1). */
  intern(
    kinds: number,
    maps: number,
    offset: number,
    frame: number,
    low: number,
    high: number,
    bytes: number,
    numbers: number,
  ): number {
    if (this.#size >= MOST) {
      if (kinds === KIND.NUMBER) frame = ANY_FRAME;
      else if ((kinds & KIND.NUMBER) === 0) low = high = 0;
    }
    // When there are too many distinct values, new ones become any number at any offset.
    const full = this.#size >= MOST;
    const mask = full ? 0 : bytes;
    let off = full && (kinds & FOLLOWED) !== 0 ? ANY_OFFSET : offset;
    let set = full && (kinds & KIND.NUMBER) !== 0 ? ANY_NUMBER : numbers;
    if (kinds === KIND.NUMBER) {
      // The set follows from the known bytes.
      if ((mask & UPPER_BYTES) === UPPER_BYTES || full) off = 0;
      if ((mask & LOWER_BYTES) === LOWER_BYTES) set = bitOf(low);
    }
    const whole = mask === ALL_BYTES || (kinds & KIND.NUMBER) === 0;
    const lo = whole ? low : low & spread(mask);
    const hi = whole ? high : high & spread(mask >> 4);
    const rows = this.#rows;
    const last = this.#index.length - 1;
    for (let at = hash(kinds, maps, off, frame, lo, hi, mask, set) & last; ; at = (at + 1) & last) {
      const value = this.#index[at]!;
      if (value < 0) {
        const row = this.#size << 3;
        rows[row] = kinds;
        rows[row + 1] = maps;
        rows[row + 2] = off;
        rows[row + 3] = frame;
        rows[row + 4] = lo;
        rows[row + 5] = hi;
        rows[row + 6] = mask;
        rows[row + 7] = set;
        this.#index[at] = this.#size++;
        if (this.#size << 3 === rows.length) this.#grow();
        if (this.#size === WIDE) this.onWide();
        return this.#size - 1;
      }
      const row = value << 3;
      if (
        rows[row] === kinds &&
        rows[row + 4] === lo &&
        rows[row + 5] === hi &&
        rows[row + 2] === off &&
        rows[row + 1] === maps &&
        rows[row + 7] === set &&
        rows[row + 6] === mask &&
        rows[row + 3] === frame
      )
        return value;
    }
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    const last = this.#index.length * 2 - 1;
    const index = new Int32Array(last + 1).fill(-1);
    for (let value = 0; value < this.#size; value++) {
      const [kinds, maps, off, frame, lo, hi, mask, set] = rows.subarray(
        value << 3,
        (value << 3) + 8,
      ) as unknown as Row;
      let at = hash(kinds, maps, off, frame, lo, hi, mask, set) & last;
      while (index[at]! >= 0) at = (at + 1) & last;
      index[at] = value;
    }
    this.#index = index;
  }
}

type Row = [number, number, number, number, number, number, number, number];

const FIRST = 256;
const JOINS = 256;
const SMALL = 32;
/** Number of values that fit into 16 bits. */
const WIDE = 1 << 16;
/** Maximum number of distinct values (2 MB of rows). Beyond it, new values have no known numbers or offsets. */
const MOST = 1 << 16;

/**
 * Odd factors, random in each process: the author of a program chooses the hashed fields and must not be able to cause
 * collisions. They affect only the position of a row.
 */
const [F0, F1, F2, F3, F4, F5] = Array.from({ length: 6 }, () => randomInt(2 ** 31) * 2 + 1) as unknown as Factors;
type Factors = readonly [number, number, number, number, number, number];

/** All bits of all fields affect the hash: upper bits are shifted down before the next field is added. */
function hash(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number): number {
  let hashed = Math.imul(a ^ (g << 16) ^ (d << 24) ^ (d >>> 8), F0);
  hashed = Math.imul(hashed ^ (hashed >>> 15) ^ c, F1);
  hashed = Math.imul(hashed ^ (hashed >>> 15) ^ e, F2);
  hashed = Math.imul(hashed ^ (hashed >>> 15) ^ f, F3);
  hashed = Math.imul(hashed ^ (hashed >>> 15) ^ h, F4);
  hashed = Math.imul(hashed ^ (hashed >>> 15) ^ b, F5);
  return hashed ^ (hashed >>> 15);
}

/** A field that only some kinds have: from the operand that has it; `unknown` if both have it with different values. */
function either(kindsA: number, kindsB: number, having: number, a: number, b: number, unknown: number): number {
  if ((kindsA & having) === 0) return b;
  if ((kindsB & having) === 0 || a === b) return a;
  return unknown;
}

/** The set of high words from the stored form. */
function highSet(kept: number, hi: number, mask: number): number {
  if ((mask & UPPER_BYTES) === UPPER_BYTES) return bitOf(hi);
  return kept === 0 ? ANY_NUMBER : kept;
}

/** The stored form of the union of two sets. */
function eitherSet(a: number, b: number): number {
  return a === ANY_NUMBER || b === ANY_NUMBER ? 0 : a | b;
}

/** A bit for each byte in which two words are equal. */
function equalBytes(a: number, b: number): number {
  const differ = a ^ b;
  return (
    ((differ & 0xff) === 0 ? 1 : 0) |
    ((differ & 0xff00) === 0 ? 2 : 0) |
    ((differ & 0xff0000) === 0 ? 4 : 0) |
    ((differ & 0xff000000) === 0 ? 8 : 0)
  );
}

/** The mask of bits for a mask of four bytes. */
function spread(mask: number): number {
  return ((mask & 1) * 0xff) | ((mask & 2) * 0x7f80) | ((mask & 4) * 0x3fc000) | ((mask & 8) * 0x1fe00000);
}
