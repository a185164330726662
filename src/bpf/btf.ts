import {
  BTF_KINDS,
  type BtfEnumerator,
  type BtfKind,
  type BtfMember,
  type BtfParameter,
  type BtfVariable,
  typeOffsets,
} from "./btf-type.js";
import { Bytes } from "./bytes.js";
import type { ByteOrder } from "./insn.js";
import { Strings } from "./strings.js";

/**
 * BPF Type Format (Documentation/bpf/btf.rst). It is read lazily: each method reads the bytes when it is called. Type
 * id 0 is void. All methods throw BTF_MALFORMED for an id or offset outside the bytes.
 */
export class Btf {
  /** Number of type ids, void included: valid ids are 0 … count - 1. */
  readonly count: number;
  readonly order: ByteOrder;
  readonly #types: Bytes;
  readonly #strings: Strings;
  /** Offset of each type in `#types`. */
  readonly #offsets: Uint32Array;
  #byName: Map<string, number[]> | undefined;
  #sections: Map<string, number> | undefined;

  constructor(bytes: Uint8Array, place = "section .BTF") {
    this.order = orderOf(bytes);
    const file = new Bytes(bytes, this.order, "BTF_MALFORMED", place);
    if (file.length < HEADER_SIZE) throw file.error(`${file.length} bytes are less than a header`);
    if (file.u16(0) !== MAGIC) throw file.error("is not BTF");
    if (file.u8(2) !== 1) throw file.error(`version ${file.u8(2)} is not 1`);
    const start = file.u32(4);
    const [typesAt, typesSize, stringsAt, stringsSize] = [file.u32(8), file.u32(12), file.u32(16), file.u32(20)];
    this.#types = new Bytes(file.part(start + typesAt, typesSize), file.order, "BTF_MALFORMED", place);
    this.#strings = new Strings(
      new Bytes(file.part(start + stringsAt, stringsSize), file.order, "BTF_MALFORMED", place),
    );
    const offsets = typeOffsets(this.#types);
    this.#offsets = offsets;
    this.count = offsets.length;
  }

  kind(id: number): BtfKind {
    return BTF_KINDS[this.#kind(id)] ?? "void";
  }

  /** The name of a type; empty if it has none. */
  name(id: number): string {
    return id === 0 ? "" : this.string(this.#types.u32(this.#at(id)));
  }

  /** A string of the string section. Offset 0 is the empty string. */
  string(offset: number): string {
    return offset === 0 ? "" : this.#strings.text(offset);
  }

  /** Size in bytes of a struct, union, enum, int or datasec; 0 for other kinds. */
  size(id: number): number {
    return HAS_SIZE.has(this.kind(id)) ? this.#types.u32(this.#at(id) + 8) : 0;
  }

  /**
   * The type that a ptr, typedef, const, volatile, restrict, func, var, func_proto (its return type), type tag or decl
   * tag refers to; 0 for other kinds.
   */
  target(id: number): number {
    const kind = this.kind(id);
    return kind === "void" || HAS_SIZE.has(kind) || kind === "array" ? 0 : this.#types.u32(this.#at(id) + 8);
  }

  /** The type after removing typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number {
    let at = id;
    for (let steps = 0; steps < MAX_DEPTH; steps++) {
      if (!TRANSPARENT.has(this.kind(at))) return at;
      at = this.target(at);
    }
    throw this.#types.error(`type ${id} does not end`);
  }

  members(id: number): readonly BtfMember[] {
    const kind = this.kind(id);
    if (kind !== "struct" && kind !== "union") return [];
    const packed = this.#types.u32(this.#at(id) + 4) >>> 31 === 1;
    return this.#rows(id, 12, (at) => this.#member(at, packed));
  }

  /** One member of a struct or union by index. Reading all would be slow, since some have thousands. */
  member(id: number, index: number): BtfMember | undefined {
    const kind = this.kind(id);
    if ((kind !== "struct" && kind !== "union") || !(index >= 0 && index < this.length(id))) return undefined;
    return this.#member(this.#at(id) + 12 + 12 * index, this.#types.u32(this.#at(id) + 4) >>> 31 === 1);
  }

  #member(at: number, packed: boolean): BtfMember {
    const where = this.#types.u32(at + 8);
    return {
      name: this.string(this.#types.u32(at)),
      type: this.#types.u32(at + 4),
      bit: packed ? where & 0xffffff : where,
      bits: packed ? where >>> 24 : 0,
    };
  }

  /** The parameters of a func_proto. A last one of type 0 without name means `...`. */
  parameters(id: number): readonly BtfParameter[] {
    if (this.kind(id) !== "func_proto") return [];
    return this.#rows(id, 8, (at) => ({ name: this.string(this.#types.u32(at)), type: this.#types.u32(at + 4) }));
  }

  /** The variables of a datasec. */
  variables(id: number): readonly BtfVariable[] {
    if (this.kind(id) !== "datasec") return [];
    return this.#rows(id, 12, (at) => ({
      type: this.#types.u32(at),
      offset: this.#types.u32(at + 4),
      size: this.#types.u32(at + 8),
    }));
  }

  /** One enumerator of an enum or enum64, by index. */
  enumerator(id: number, index: number): BtfEnumerator | undefined {
    const kind = this.kind(id);
    if ((kind !== "enum" && kind !== "enum64") || !(index >= 0 && index < this.length(id))) return undefined;
    const at = this.#at(id) + 12 + index * (kind === "enum" ? 8 : 12);
    const low = this.#types.u32(at + 4);
    const value = kind === "enum" ? BigInt(low | 0) : (BigInt(this.#types.u32(at + 8)) << 32n) | BigInt(low);
    return { name: this.string(this.#types.u32(at)), value };
  }

  /** Element type and number of elements of an array; null for other kinds. */
  array(id: number): { readonly element: number; readonly count: number } | null {
    if (this.kind(id) !== "array") return null;
    const at = this.#at(id) + 12;
    return { element: this.#types.u32(at), count: this.#types.u32(at + 8) };
  }

  /** Linkage of a func or var: 0 static, 1 global, 2 extern. */
  linkage(id: number): number {
    const kind = this.kind(id);
    if (kind === "func") return this.#types.u32(this.#at(id) + 4) & 0xffff;
    return kind === "var" ? this.#types.u32(this.#at(id) + 12) : 0;
  }

  /** The first type of this kind and name; 0 if there is none. The first call builds an index of all names. */
  find(kind: BtfKind, name: string): number {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (let id = 1; id < this.count; id++) {
        const key = this.name(id);
        if (key === "") continue;
        const ids = this.#byName.get(key);
        if (ids === undefined) this.#byName.set(key, [id]);
        else ids.push(id);
      }
    }
    return this.#byName.get(name)?.find((id) => this.kind(id) === kind) ?? 0;
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
    return this.kind(id) === "decl_tag" ? this.#types.u32(this.#at(id) + 12) | 0 : -1;
  }

  /** All ids of one kind, in order. */
  *all(kind: BtfKind): Generator<number> {
    const wanted = BTF_KINDS.indexOf(kind);
    for (let id = 1; id < this.count; id++) if (this.#kind(id) === wanted) yield id;
  }

  /** Number of members, parameters, variables or enumerators of a type. */
  length(id: number): number {
    return HAS_ROWS.has(this.kind(id)) ? this.#types.u32(this.#at(id) + 4) & 0xffff : 0;
  }

  #datasecs(): Map<string, number> {
    const found = new Map<string, number>();
    let count = 0;
    for (const id of this.all("datasec")) {
      if (++count > MAX_DATASECS) throw this.#types.error(`there are more than ${MAX_DATASECS} sections in it`);
      found.set(this.name(id), id);
    }
    return found;
  }

  #at(id: number): number {
    const at = this.#offsets[id];
    if (at === undefined) throw this.#types.error(`there is no type ${id}`);
    return at;
  }

  #kind(id: number): number {
    return id === 0 ? 0 : (this.#types.u32(this.#at(id) + 4) >>> 24) & 31;
  }

  #rows<T>(id: number, size: number, read: (at: number) => T): T[] {
    const start = this.#at(id) + 12;
    const count = this.#types.u32(this.#at(id) + 4) & 0xffff;
    const rows: T[] = [];
    for (let i = 0; i < count; i++) rows.push(read(start + i * size));
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
export function orderOf(bytes: Uint8Array): ByteOrder {
  return bytes[0] === MAGIC >> 8 ? "big" : "little";
}
