import type { Bytes } from "../elf/bytes.js";
import { NEWER_FORMAT, TOO_LARGE } from "../elf/remedies.js";

/** Kinds of BTF types, indexed by their numbers (include/uapi/linux/btf.h). */
export const BTF_KINDS = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;

export type BtfKind = (typeof BTF_KINDS)[number];

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Offset in bits from the start of the struct. */
  readonly bit: number;
  /** Width of a bit field in bits; 0 for any other member. */
  readonly bits: number;
}

export interface BtfArray {
  readonly element: number;
  readonly index: number;
  readonly count: number;
}

/** Of a type of kind int. */
export interface BtfInt {
  /** BTF_INT_SIGNED 1, BTF_INT_CHAR 2, BTF_INT_BOOL 4. */
  readonly encoding: number;
  readonly bit: number;
  /** Number of bits of the value, which may be fewer than those of its size. */
  readonly bits: number;
}

export interface BtfParameter {
  readonly name: string;
  readonly type: number;
}

export interface BtfVariable {
  /** Id of a var, or of a func in a section of functions. */
  readonly type: number;
  /** In bytes; 0 in an object file that no linker has processed. */
  readonly offset: number;
  readonly size: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

/** Number of 32-bit words after the common three of a type, by kind: once, and for each of vlen. */
const ONCE: Readonly<Partial<Record<BtfKind, number>>> = { int: 1, var: 1, decl_tag: 1, array: 3 };
const FOR_EACH: Readonly<Partial<Record<BtfKind, number>>> = {
  ...{ struct: 3, union: 3, datasec: 3, enum64: 3 },
  ...{ enum: 2, func_proto: 2 },
};
/** By the numbers of the kinds. */
const TAILS = Uint8Array.from(BTF_KINDS, (kind) => ONCE[kind] ?? 0);
const ROWS = Uint8Array.from(BTF_KINDS, (kind) => FOR_EACH[kind] ?? 0);

/** BTF_MAX_TYPE of include/uapi/linux/btf.h. */
const MAX_TYPES = 0xfffff;

/**
 * The place of each type in a BTF type section, which is given in words of 32 bits. With a base, there are only the own
 * types; without one, entry 0 is for void. Throws what `error` makes.
 */
export function typePlaces(words: Uint32Array, first: number, error: Bytes["error"]): Uint32Array {
  const places = new Uint32Array(Math.min(Math.floor(words.length / 3), MAX_TYPES) + 1);
  let count = first === 0 ? 1 : 0;
  let at = 0;
  while (at < words.length) {
    if (at + 3 > words.length) throw error(`type ${first + count} is cut short`);
    const info = words[at + 1]!;
    const kind = (info >>> 24) & 31;
    if (kind === 0 || kind >= TAILS.length) throw error(`type ${first + count} has an unknown kind`, NEWER_FORMAT);
    if (first + count > MAX_TYPES) throw error(`there are more than ${MAX_TYPES} types`, TOO_LARGE);
    places[count] = at;
    count += 1;
    at += 3 + TAILS[kind]! + ROWS[kind]! * (info & 0xffff);
  }
  if (at !== words.length) throw error(`type ${first + count - 1} is cut short`);
  return places.subarray(0, count);
}
