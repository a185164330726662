import type { Bytes } from "./bytes.js";

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

/** Size in bytes of the data after the common 12 bytes of a type, by kind: [once, for each of vlen]. */
const BTF_TAILS: readonly (readonly [number, number])[] = BTF_KINDS.map((kind) => {
  switch (kind) {
    case "int":
    case "var":
    case "decl_tag":
      return [4, 0];
    case "array":
      return [12, 0];
    case "struct":
    case "union":
    case "datasec":
    case "enum64":
      return [0, 12];
    case "enum":
    case "func_proto":
      return [0, 8];
    default:
      return [0, 0];
  }
});

/** BTF_MAX_TYPE of include/uapi/linux/btf.h. */
const MAX_TYPES = 0xfffff;

/** The offset of each type in a BTF type section; entry 0 is for void. Throws BTF_MALFORMED. */
export function typeOffsets(types: Bytes): Uint32Array {
  const offsets = new Uint32Array(Math.min(Math.floor(types.length / 12), MAX_TYPES) + 1);
  let count = 1;
  let at = 0;
  while (at < types.length) {
    const info = types.u32(at + 4);
    const kind = (info >>> 24) & 31;
    const tail = BTF_TAILS[kind];
    if (tail === undefined || kind === 0) throw types.error(`type ${count} has an unknown kind`);
    if (count > MAX_TYPES) throw types.error(`there are more than ${MAX_TYPES} types`);
    offsets[count] = at;
    count += 1;
    at += 12 + tail[0] + tail[1] * (info & 0xffff);
  }
  if (at !== types.length) throw types.error(`type ${count - 1} is cut short`);
  return offsets.subarray(0, count);
}
