import { Bytes } from "../elf/bytes.js";
import { NEWER_FORMAT, TOO_LARGE } from "../elf/remedies.js";
import type { ByteOrder } from "../insn/insn.js";
import { BtfStrings } from "./btf-strings.js";
import {
  BTF_KINDS,
  type BtfArray,
  type BtfEnumerator,
  type BtfInt,
  type BtfKind,
  type BtfMember,
  type BtfParameter,
  type BtfVariable,
  typePlaces,
} from "./btf-type.js";
import { NameIndex } from "./name-index.js";

/**
 * BPF Type Format (Documentation/bpf/btf.rst). It is read lazily: each method reads the bytes when it is called. Type
 * id 0 is void. All methods throw BTF_MALFORMED for an id or offset outside the bytes.
 *
 * A module has split BTF: its types and strings follow those of its base, the BTF of vmlinux, and refer to them.
 */
export class Btf {
  /** Number of type ids, void and those of the base included: valid ids are 0 … count - 1. */
  readonly count: number;
  /** The first own type id: that of the first type which is not in the base; 0 without a base. */
  readonly first: number;
  readonly order: ByteOrder;
  readonly #bytes: Bytes;
  /** The type section in words of the host's byte order, and the place in it of each own type. */
  readonly #words: Uint32Array;
  readonly #places: Uint32Array;
  readonly #strings: BtfStrings;
  readonly #names = new Map<number, NameIndex>();
  #sections: Map<string, number> | undefined;

  constructor(
    bytes: Uint8Array,
    place = "section .BTF",
    readonly base: Btf | null = null,
  ) {
    this.order = orderOf(bytes);
    const file = new Bytes(bytes, this.order, "BTF_MALFORMED", place);
    this.#bytes = file;
    if (file.length < HEADER_SIZE) throw file.error(`${file.length} bytes are less than a header`);
    if (file.u16(0) !== MAGIC) throw file.error("is not BTF");
    if (file.u8(2) !== 1) throw file.error(`version ${file.u8(2)} is not 1`, NEWER_FORMAT);
    if (base !== null && base.order !== this.order)
      throw file.error(`its byte order is ${this.order} endian, and that of its base is not`, SAME_KERNEL);
    const start = file.u32(4);
    const [typesAt, typesSize, stringsAt, stringsSize] = [file.u32(8), file.u32(12), file.u32(16), file.u32(20)];
    this.#words = wordsOf(file.part(start + typesAt, typesSize), this.order);
    if (typesSize % 4 !== 0) throw file.error(`${typesSize} bytes of types are not a multiple of 4`);
    this.#strings = new BtfStrings(
      new Bytes(file.part(start + stringsAt, stringsSize), this.order, "BTF_MALFORMED", place),
      base === null ? null : base.#strings,
    );
    this.first = base?.count ?? 0;
    this.#places = typePlaces(this.#words, this.first, (message, remedy) => file.error(message, remedy));
    this.count = this.first + this.#places.length;
  }

  kind(id: number): BtfKind {
    return BTF_KINDS[this.#kind(id)] ?? "void";
  }

  /** The name of a type; empty if it has none. */
  name(id: number): string {
    return id === 0 ? "" : this.string(this.#word(id, 0));
  }

  /** A string of the string section. Offset 0 is the empty string. */
  string(offset: number): string {
    return this.#strings.text(offset);
  }

  /** Size in bytes of a struct, union, enum, int or datasec; 0 for other kinds. */
  size(id: number): number {
    return HAS_SIZE.has(this.kind(id)) ? this.#word(id, 2) : 0;
  }

  /**
   * The type that a ptr, typedef, const, volatile, restrict, func, var, func_proto (its return type), type tag or decl
   * tag refers to; 0 for other kinds.
   */
  target(id: number): number {
    const kind = this.kind(id);
    return kind === "void" || HAS_SIZE.has(kind) || kind === "array" ? 0 : this.#word(id, 2);
  }

  /** The type after removing typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number {
    let at = id;
    for (let steps = 0; steps < MAX_DEPTH; steps++) {
      if (!TRANSPARENT.has(this.kind(at))) return at;
      at = this.target(at);
    }
    throw this.#bytes.error(`type ${id} does not end`);
  }

  members(id: number): readonly BtfMember[] {
    return this.#rows(this.#isComposite(id) ? this.length(id) : 0, (row) => this.#member(id, row));
  }

  /** One member of a struct or union by index. Reading all would be slow, since some have thousands. */
  member(id: number, index: number): BtfMember | undefined {
    return this.#isComposite(id) && index >= 0 && index < this.length(id) ? this.#member(id, index) : undefined;
  }

  #isComposite(id: number): boolean {
    const kind = this.kind(id);
    return kind === "struct" || kind === "union";
  }

  #member(id: number, row: number): BtfMember {
    const at = 3 + 3 * row;
    const where = this.#word(id, at + 2);
    const packed = this.flag(id);
    return {
      name: this.string(this.#word(id, at)),
      type: this.#word(id, at + 1),
      bit: packed ? where & 0xffffff : where,
      bits: packed ? where >>> 24 : 0,
    };
  }

  /** The parameters of a func_proto. A last one of type 0 without name means `...`. */
  parameters(id: number): readonly BtfParameter[] {
    return this.#rows(this.kind(id) === "func_proto" ? this.length(id) : 0, (row) => ({
      name: this.string(this.#word(id, 3 + 2 * row)),
      type: this.#word(id, 4 + 2 * row),
    }));
  }

  /** The variables of a datasec. */
  variables(id: number): readonly BtfVariable[] {
    return this.#rows(this.kind(id) === "datasec" ? this.length(id) : 0, (row) => ({
      type: this.#word(id, 3 + 3 * row),
      offset: this.#word(id, 4 + 3 * row),
      size: this.#word(id, 5 + 3 * row),
    }));
  }

  /** One enumerator of an enum or enum64, by index. */
  enumerator(id: number, index: number): BtfEnumerator | undefined {
    const kind = this.kind(id);
    if ((kind !== "enum" && kind !== "enum64") || !(index >= 0 && index < this.length(id))) return undefined;
    const at = 3 + index * (kind === "enum" ? 2 : 3);
    const low = this.#word(id, at + 1);
    const value = kind === "enum" ? BigInt(low | 0) : (BigInt(this.#word(id, at + 2)) << 32n) | BigInt(low);
    return { name: this.string(this.#word(id, at)), value };
  }

  /**
   * The kind_flag of a type: whether a struct or union has bit fields, an enum is signed, or a fwd is that of a union.
   */
  flag(id: number): boolean {
    return id !== 0 && this.#word(id, 1) >>> 31 === 1;
  }

  /** Encoding of an int: whether it is signed, and its offset in bits, which only deprecated bit fields have. */
  int(id: number): BtfInt | null {
    if (this.kind(id) !== "int") return null;
    const word = this.#word(id, 3);
    return { encoding: (word >>> 24) & 15, bit: (word >>> 16) & 255, bits: word & 255 };
  }

  /** Types of elements and of indexes, and number of elements of an array; null for other kinds. */
  array(id: number): BtfArray | null {
    if (this.kind(id) !== "array") return null;
    return { element: this.#word(id, 3), index: this.#word(id, 4), count: this.#word(id, 5) };
  }

  /** Linkage of a func or var: 0 static, 1 global, 2 extern. */
  linkage(id: number): number {
    const kind = this.kind(id);
    if (kind === "func") return this.#word(id, 1) & 0xffff;
    return kind === "var" ? this.#word(id, 3) : 0;
  }

  /** The first type of this kind and name, in the base first; 0 if there is none. */
  find(kind: BtfKind, name: string): number {
    return this.base?.find(kind, name) || this.findOwn(kind, name);
  }

  /** As {@link find}, among the types that are not in the base. */
  findOwn(kind: BtfKind, name: string): number {
    const kinds = IS_SYMBOL.has(kind) ? SYMBOLS : TYPES;
    for (const row of this.#named(kinds).find(name, true)) {
      const id = Math.max(this.first, 1) + row;
      if (this.kind(id) === kind) return id;
    }
    return 0;
  }

  /** Whether an own type of this kind has one of these names. Builds no index: for kinds that few files have. */
  names(kind: BtfKind, names: ReadonlySet<string>): boolean {
    const number = BTF_KINDS.indexOf(kind);
    const words = this.#words;
    const places = this.#places;
    for (let row = this.first === 0 ? 1 : 0; row < places.length; row++) {
      const place = places[row]!;
      if (((words[place + 1]! >>> 24) & 31) === number && names.has(this.string(words[place]!))) return true;
    }
    return false;
  }

  /** The own types with the same essential name, in ascending order; no functions and variables. */
  *candidates(name: string): Generator<number> {
    for (const row of this.#named(TYPES).find(name, false)) yield Math.max(this.first, 1) + row;
  }

  /** Each first call builds an index. Functions have one of their own: most programs need none of their many names. */
  #named(kinds: number): NameIndex {
    let index = this.#names.get(kinds);
    if (index === undefined) {
      // The row of void has the words of type 1.
      const places = this.first === 0 ? this.#places.subarray(1) : this.#places;
      index = new NameIndex(this.#strings, this.#words, places, kinds);
      this.#names.set(kinds, index);
    }
    return index;
  }

  /** The datasec of this name; 0 if there is none. */
  section(name: string): number {
    this.#sections ??= this.#datasecs();
    return this.#sections.get(name) ?? 0;
  }

  /** Size of a value of a type in bytes, 8 for pointers; 0 if it has none or its chain is too long. */
  sizeOf(id: number): number {
    let factor = 1;
    let at = id;
    for (let steps = 0; steps < MAX_DEPTH; steps++) {
      const kind = this.kind(at);
      if (HAS_SIZE.has(kind)) return factor * this.size(at);
      if (kind === "ptr") return factor * 8;
      const array = this.array(at);
      if (array === null && !TRANSPARENT.has(kind) && kind !== "var") return 0;
      factor *= array?.count ?? 1;
      at = array?.element ?? this.target(at);
    }
    return 0;
  }

  /** Index of the member or parameter that a decl tag describes; -1 for the whole, and for other kinds. */
  component(id: number): number {
    return this.kind(id) === "decl_tag" ? this.#word(id, 3) | 0 : -1;
  }

  /** All ids of one kind, in order. */
  *all(kind: BtfKind): Generator<number> {
    const wanted = BTF_KINDS.indexOf(kind);
    for (let id = 1; id < this.count; id++) if (this.#kind(id) === wanted) yield id;
  }

  /** Number of members, parameters, variables or enumerators of a type. */
  length(id: number): number {
    return HAS_ROWS.has(this.kind(id)) ? this.#word(id, 1) & 0xffff : 0;
  }

  #datasecs(): Map<string, number> {
    const found = new Map<string, number>();
    let count = 0;
    for (const id of this.all("datasec")) {
      if (++count > MAX_DATASECS)
        throw this.#bytes.error(`there are more than ${MAX_DATASECS} sections in it`, TOO_LARGE);
      found.set(this.name(id), id);
    }
    return found;
  }

  /** Where an own type begins in the type section, in bytes. */
  offset(id: number): number {
    const place = id === 0 ? undefined : this.#places[id - this.first];
    if (place === undefined) throw this.#bytes.error(`there is no type ${id}`);
    return 4 * place;
  }

  /** A word of a type: its name, info, and size or type, and then those of its kind. Not for void. */
  #word(id: number, index: number): number {
    if (id < this.first) return this.base!.#word(id, index);
    const place = this.#places[id - this.first];
    if (place === undefined) throw this.#bytes.error(`there is no type ${id}`);
    return this.#words[place + index]!;
  }

  #kind(id: number): number {
    return id === 0 ? 0 : (this.#word(id, 1) >>> 24) & 31;
  }

  #rows<T>(count: number, read: (row: number) => T): T[] {
    const rows: T[] = [];
    for (let row = 0; row < count; row++) rows.push(read(row));
    return rows;
  }
}

const MAGIC = 0xeb9f;
const HEADER_SIZE = 24;
/** Maximum length of a chain of modifiers, as in the kernel (MAX_RESOLVE_DEPTH, kernel/bpf/btf.c). */
const MAX_DEPTH = 32;
const MAX_DATASECS = 4096;
const TRANSPARENT: ReadonlySet<BtfKind> = new Set(["typedef", "const", "volatile", "restrict", "type_tag"]);
const HAS_SIZE: ReadonlySet<BtfKind> = new Set(["int", "struct", "union", "enum", "datasec", "float", "enum64"]);

const HAS_ROWS: ReadonlySet<BtfKind> = new Set(["struct", "union", "enum", "enum64", "func_proto", "datasec"]);

/** The byte order of BTF data, from its magic number. */
function orderOf(bytes: Uint8Array): ByteOrder {
  return bytes[0] === MAGIC >> 8 ? "big" : "little";
}

/** Kinds that name something else than a type. */
const IS_SYMBOL: ReadonlySet<BtfKind> = new Set(["func", "var", "datasec", "decl_tag"]);
/** A bit for each kind. */
const SYMBOLS = BTF_KINDS.reduce((bits, kind, number) => (IS_SYMBOL.has(kind) ? bits | (1 << number) : bits), 0);
const TYPES = ~SYMBOLS;

const SAME_KERNEL = "name the BTF of a module and of vmlinux of one kernel";
const HOST_IS_LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Bytes as words of the host's byte order; a copy only if they are unaligned or in the other order. */
function wordsOf(bytes: Uint8Array, order: ByteOrder): Uint32Array {
  const length = bytes.length >>> 2;
  const swapped = (order === "little") !== HOST_IS_LITTLE;
  if (!swapped && bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
  const copy = new Uint8Array(bytes.subarray(0, 4 * length));
  if (swapped) Buffer.from(copy.buffer).swap32();
  return new Uint32Array(copy.buffer, 0, length);
}
