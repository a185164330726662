import { BTF_KINDS, type BtfKind } from "../btf/btf-type.js";
import type { ByteOrder } from "../insn/insn.js";

/** `bits` for a bit field. */
export type WrittenMember = readonly [name: string, type: number, bit: number, bits?: number];

/** Writes BTF type by type. Each method returns the id of the type that it adds. With a base, it writes split BTF. */
export class BtfWriter {
  #next: number;
  readonly #start: number;
  readonly #words: number[] = [];
  #text = Buffer.alloc(0);
  readonly #known = new Map<string, number>();

  constructor(
    readonly order: ByteOrder = "little",
    readonly base: BtfWriter | null = null,
  ) {
    this.#next = base === null ? 1 : base.#next;
    this.#start = base?.end ?? 0;
    if (base === null) this.#text = Buffer.alloc(1);
  }

  /** Number of bytes of its strings and those of its base. */
  get end(): number {
    return this.#start + this.#text.length;
  }

  /** Offset of a string; that of the base if it has the string. */
  string(text: string): number {
    if (text === "") return 0;
    const known = this.#find(text);
    if (known !== undefined) return known;
    const offset = this.end;
    this.#text = Buffer.concat([this.#text, Buffer.from(`${text}\0`)]);
    this.#known.set(text, offset);
    return offset;
  }

  #find(text: string): number | undefined {
    return this.#known.get(text) ?? (this.base === null ? undefined : this.base.#find(text));
  }

  /** Any type: its name, kind, number of rows, kind_flag, size or type, and the words after these. */
  type(name: string, kind: BtfKind, third: number, more: readonly number[] = [], rows = 0, flag = false): number {
    const info = (BTF_KINDS.indexOf(kind) << 24) | rows | (flag ? 0x8000_0000 : 0);
    this.#words.push(this.string(name), info >>> 0, third, ...more);
    return this.#next++;
  }

  int(name: string, size: number, { encoding = 0, bit = 0, bits = 8 * size } = {}): number {
    return this.type(name, "int", size, [(encoding << 24) | (bit << 16) | bits]);
  }

  ptr(to: number): number {
    return this.type("", "ptr", to);
  }

  typedef(name: string, of: number): number {
    return this.type(name, "typedef", of);
  }

  array(element: number, count: number, index = element): number {
    return this.type("", "array", 0, [element, index, count]);
  }

  struct(name: string, size: number, members: readonly WrittenMember[], kind: "struct" | "union" = "struct"): number {
    const packed = members.some(([, , , bits]) => bits !== undefined);
    const rows = members.flatMap(([member, type, bit, bits = 0]) => [
      this.string(member),
      type,
      packed ? (bits << 24) | bit : bit,
    ]);
    return this.type(name, kind, size, rows, members.length, packed);
  }

  union(name: string, size: number, members: readonly WrittenMember[]): number {
    return this.struct(name, size, members, "union");
  }

  enum(name: string, values: readonly (readonly [name: string, value: number])[], size = 4, signed = false): number {
    const rows = values.flatMap(([value, number]) => [this.string(value), number >>> 0]);
    return this.type(name, "enum", size, rows, values.length, signed);
  }

  enum64(name: string, values: readonly (readonly [name: string, value: bigint])[], signed = false): number {
    const rows = values.flatMap(([value, number]) => [
      this.string(value),
      Number(BigInt.asUintN(32, number)),
      Number(BigInt.asUintN(32, number >> 32n)),
    ]);
    return this.type(name, "enum64", 8, rows, values.length, signed);
  }

  proto(result: number, parameters: readonly (readonly [name: string, type: number])[]): number {
    const rows = parameters.flatMap(([name, type]) => [this.string(name), type]);
    return this.type("", "func_proto", result, rows, parameters.length);
  }

  /** Linkage: 0 static, 1 global, 2 extern. */
  func(name: string, proto: number, linkage = 1): number {
    return this.type(name, "func", proto, [], linkage);
  }

  var(name: string, type: number, linkage = 1): number {
    return this.type(name, "var", type, [linkage]);
  }

  datasec(
    name: string,
    size: number,
    rows: readonly (readonly [type: number, offset: number, size: number])[],
  ): number {
    return this.type(name, "datasec", size, rows.flat(), rows.length);
  }

  bytes(): Buffer {
    const types = Buffer.alloc(4 * this.#words.length);
    const header = Buffer.alloc(24);
    const write = (to: Buffer, at: number, word: number) =>
      this.order === "little" ? to.writeUInt32LE(word >>> 0, at) : to.writeUInt32BE(word >>> 0, at);
    for (const [index, word] of this.#words.entries()) write(types, 4 * index, word);
    header.set(this.order === "little" ? [0x9f, 0xeb, 1, 0] : [0xeb, 0x9f, 1, 0]);
    for (const [index, word] of [24, 0, types.length, types.length, this.#text.length].entries())
      write(header, 4 + 4 * index, word);
    return Buffer.concat([header, types, this.#text]);
  }
}
