/** Writes little-endian ELF objects for BPF of any sections. */

export interface WrittenSection {
  readonly name: string;
  /** SHT_*: 1 data, 2 symbols, 3 strings, 9 relocations. */
  readonly type: number;
  readonly flags?: number;
  readonly link?: number;
  readonly info?: number;
  readonly data: Uint8Array;
}

/** Sections are numbered from 1 in their order; one for their names is put behind them. */
export function elfOf(...given: readonly WrittenSection[]): Buffer {
  const texts = [...given.map(({ name }) => name), ".shstrtab"].map((name) => Buffer.from(`${name}\0`, "latin1"));
  const sections: readonly WrittenSection[] = [
    ...given,
    { name: ".shstrtab", type: 3, data: Buffer.concat([Buffer.alloc(1), ...texts]) },
  ];
  const headers = Buffer.alloc(64 * (sections.length + 1));
  let offset = 64;
  let name = 1;
  for (const [index, { type, flags = 0, link = 0, info = 0, data }] of sections.entries()) {
    const at = 64 * (index + 1);
    headers.writeUInt32LE(name, at);
    headers.writeUInt32LE(type, at + 4);
    headers.writeBigUInt64LE(BigInt(flags), at + 8);
    headers.writeBigUInt64LE(BigInt(offset), at + 24);
    headers.writeBigUInt64LE(BigInt(data.length), at + 32);
    headers.writeUInt32LE(link, at + 40);
    headers.writeUInt32LE(info, at + 44);
    headers.writeBigUInt64LE(ENTRY_SIZES.get(type) ?? 0n, at + 56);
    offset += data.length;
    name += texts[index]!.length;
  }
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(1, 16);
  header.writeUInt16LE(247, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(offset), 40);
  for (const [at, value] of [
    [52, 64],
    [58, 64],
    [60, sections.length + 1],
    [62, sections.length],
  ] as const)
    header.writeUInt16LE(value, at);
  return Buffer.concat([header, ...sections.map(({ data }) => data), headers]);
}

/** Bytes of a symbol and of a relocation, by section type: libbpf rejects a table of another size. */
const ENTRY_SIZES: ReadonlyMap<number, bigint> = new Map([
  [2, 24n],
  [9, 16n],
]);

/** A symbol; its name is an offset into the string table. */
export function symbolOf(name: number, info: number, section: number, value: number, size: number): Buffer {
  const symbol = Buffer.alloc(24);
  symbol.writeUInt32LE(name, 0);
  symbol[4] = info;
  symbol.writeUInt16LE(section, 6);
  symbol.writeBigUInt64LE(BigInt(value), 8);
  symbol.writeBigUInt64LE(BigInt(size), 16);
  return symbol;
}

/** BTF of these types and strings. */
export function btfOf(types: Uint8Array, strings: string): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header[2] = 1;
  header.writeUInt32LE(24, 4);
  header.writeUInt32LE(types.length, 12);
  header.writeUInt32LE(types.length, 16);
  header.writeUInt32LE(strings.length, 20);
  return Buffer.concat([header, types, Buffer.from(strings, "latin1")]);
}
