import { sectionData } from "../../support/elf-patch.js";

type Next = (below: number) => number;

/** An object whose CO-RE records and types were changed in up to three places, each still well-formed by itself. */
export function mutatedObject(bytes: Uint8Array, next: Next): Buffer {
  const object = Buffer.from(bytes);
  const types = new Types(sectionData(object, ".BTF"));
  const records = recordsOf(sectionData(object, ".BTF.ext"));
  for (let changes = 1 + next(3); changes > 0; changes--)
    if (records.length > 0 && next(2) === 0) changeRecord(records[next(records.length)]!, types, next);
    else types.change(next);
  types.removeInvalidBitFields();
  return object;
}

/** BTF whose types were changed in up to `changes` places. */
export function mutatedBtf(btf: Uint8Array, changes: number, next: Next): Buffer {
  const copy = Buffer.from(btf);
  const types = new Types(copy);
  for (let left = next(changes + 1); left > 0; left--) types.change(next);
  types.removeInvalidBitFields();
  return copy;
}

/** The CO-RE records of section `.BTF.ext`, each as its 16 bytes in the section. */
function recordsOf(ext: Buffer): Buffer[] {
  const found: Buffer[] = [];
  const start = ext.readUInt32LE(4) + ext.readUInt32LE(24);
  const end = start + ext.readUInt32LE(28);
  if (start === end) return [];
  const size = ext.readUInt32LE(start);
  for (let at = start + 4; at < end; ) {
    const count = ext.readUInt32LE(at + 4);
    for (let index = 0; index < count; index++)
      found.push(ext.subarray(at + 8 + index * size, at + 8 + index * size + size));
    at += 8 + count * size;
  }
  return found;
}

/** Kinds of relocation, and one that does not exist. */
const KINDS = 14;

function changeRecord(record: Buffer, types: Types, next: Next): void {
  switch (next(4)) {
    case 0:
      record.writeUInt32LE(types.any(next), 4);
      break;
    case 1:
    case 2:
      record.writeUInt32LE(types.accesses[next(types.accesses.length)] ?? 0, 8);
      break;
    default:
      record.writeUInt32LE(next(KINDS), 12);
  }
}

const KIND = { INT: 1, PTR: 2, ARRAY: 3, STRUCT: 4, UNION: 5, ENUM: 6, FUNC_PROTO: 13, ENUM64: 19 } as const;
/** Functions, variables and sections. No compiler refers to one, and libbpf looks for a kernel's of the same kind. */
const WITHOUT_VALUES = new Set([12, 14, 15]);
/** Types that a bit field can have. */
const INTEGERS = new Set<number>([KIND.INT, KIND.ENUM, KIND.ENUM64]);
/** Bit of `info` that says that the members of a struct or union have sizes in bits. */
const PACKED = 0x80;
/** Typedef, volatile, const, restrict, type tag. */
const REFERRING = new Set([8, 9, 10, 11, 18]);
/** Bytes after the 12 common ones, of the type and of each of its entries. */
const SIZES: Readonly<Record<number, readonly [own: number, entry: number]>> = {
  1: [4, 0],
  3: [12, 0],
  4: [0, 12],
  5: [0, 12],
  6: [0, 8],
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  17: [4, 0],
  19: [0, 12],
};

interface Type {
  /** Where it is in the section. */
  readonly at: number;
  readonly kind: number;
  readonly entries: number;
}

/** The types of a BTF, changed in place. */
class Types {
  /** Offsets of strings such as `0:1:2`. */
  readonly accesses: readonly number[];
  readonly #types: readonly Type[];

  constructor(readonly btf: Buffer) {
    const header = btf.readUInt32LE(4);
    const found: Type[] = [];
    const end = header + btf.readUInt32LE(8) + btf.readUInt32LE(12);
    for (let at = header + btf.readUInt32LE(8); at < end; ) {
      const info = btf.readUInt32LE(at + 4);
      const type = { at, kind: (info >>> 24) & 31, entries: info & 0xffff };
      const [own, entry] = SIZES[type.kind] ?? [0, 0];
      found.push(type);
      at += 12 + own + entry * type.entries;
    }
    this.#types = found;
    const strings = header + btf.readUInt32LE(16);
    const text = btf.toString("latin1", strings, strings + btf.readUInt32LE(20));
    this.accesses = Array.from(text.matchAll(/(?<=\0)\d+(?::\d+)*(?=\0)/g), ({ index }) => index);
  }

  /** The id of a type that values can have, of the first type if another id is drawn. */
  any(next: Next): number {
    const id = 1 + next(this.#types.length);
    return WITHOUT_VALUES.has(this.#types[id - 1]!.kind) ? 1 : id;
  }

  /**
   * Makes plain members of bit fields whose type is neither an integer nor an enum, which the kernel rejects
   * (btf_generic_check_kflag_member in kernel/bpf/btf.c).
   */
  removeInvalidBitFields(): void {
    const { btf } = this;
    for (const { at, kind, entries } of this.#types) {
      if ((kind !== KIND.STRUCT && kind !== KIND.UNION) || (btf[at + 7]! & PACKED) === 0) continue;
      for (let entry = at + 12; entry < at + 12 + 12 * entries; entry += 12)
        if (!this.#isInteger(btf.readUInt32LE(entry + 4))) btf.writeUInt8(0, entry + 11);
    }
  }

  #isInteger(id: number): boolean {
    const type = this.#types[id - 1];
    if (type === undefined) return false;
    return REFERRING.has(type.kind) ? this.#isInteger(this.btf.readUInt32LE(type.at + 8)) : INTEGERS.has(type.kind);
  }

  /** Changes one type that CO-RE looks at. */
  change(next: Next): void {
    const { btf } = this;
    const { at, kind, entries } = this.#types[next(this.#types.length)]!;
    const entry = at + 12 + (SIZES[kind]?.[1] ?? 0) * next(Math.max(entries, 1));
    switch (kind) {
      case KIND.INT:
        this.#set(next, [at + 8, [1, 2, 4, 8]], [at + 15, [0, 1, 2, 4]]);
        return;
      case KIND.PTR:
        btf.writeUInt32LE(this.any(next), at + 8);
        return;
      case KIND.ARRAY:
        if (next(2) === 0) btf.writeUInt32LE(next(20), at + 20);
        else btf.writeUInt32LE(this.any(next), at + 12);
        return;
      case KIND.STRUCT:
      case KIND.UNION:
        if (entries > 0) this.#changeMember(entry, kind, at, next);
        return;
      case KIND.ENUM:
      case KIND.ENUM64:
        if (next(4) === 0)
          btf.writeUInt8(btf[at + 7]! ^ 0x80, at + 7); // signed or not
        else if (entries > 0) btf.writeUInt32LE(next(1 << 16) * 0x10001, entry + 4);
        return;
      case KIND.FUNC_PROTO:
        if (entries > 0) btf.writeUInt32LE(this.any(next), entry + 4);
        return;
      default:
        // A target with a lower id, so that there is no circle.
        if (REFERRING.has(kind)) btf.writeUInt32LE(next(this.#types.findIndex((type) => type.at === at) + 1), at + 8);
    }
  }

  #changeMember(entry: number, kind: number, at: number, next: Next): void {
    const { btf } = this;
    const count = btf.readUInt16LE(at + 4);
    const other = at + 12 + 12 * next(count);
    switch (next(4)) {
      case 0: {
        const name = btf.readUInt32LE(entry);
        btf.writeUInt32LE(btf.readUInt32LE(other), entry);
        btf.writeUInt32LE(name, other);
        return;
      }
      case 1:
        btf.writeUInt32LE(this.any(next), entry + 4);
        return;
      case 2:
        if (kind === KIND.STRUCT) btf.writeUInt32LE(next(4) === 0 ? next(0x3ffff) : next(64) * 8, entry + 8);
        return;
      default: {
        // bit fields: a size for each member in the upper byte of its offset
        btf.writeUInt8(btf[at + 7]! ^ PACKED, at + 7);
        const packed = (btf[at + 7]! & PACKED) !== 0;
        if (packed) btf.writeUInt8(next(2) * next(34), entry + 11);
      }
    }
  }

  #set(next: Next, ...places: readonly (readonly [at: number, values: readonly number[]])[]): void {
    const [at, values] = places[next(places.length)]!;
    this.btf.writeUInt8(values[next(values.length)]!, at);
  }
}
