import { CountersignError } from "../../error.js";
import type { ByteOrder } from "../insn/insn.js";
import { Bytes } from "./bytes.js";
import { REBUILD, TOO_LARGE } from "./remedies.js";
import { Strings } from "./strings.js";

/** Numbers of elf(5) that BPF objects use. */
export const ELF = {
  ET_REL: 1,
  EM_BPF: 247,
  SHT_PROGBITS: 1,
  SHT_SYMTAB: 2,
  SHT_STRTAB: 3,
  SHT_RELA: 4,
  SHT_NOBITS: 8,
  SHT_REL: 9,
  SHF_EXECINSTR: 4,
  SHN_UNDEF: 0,
  SHN_LORESERVE: 0xff00,
  STB_LOCAL: 0,
  STB_GLOBAL: 1,
  STB_WEAK: 2,
  STT_NOTYPE: 0,
  STT_OBJECT: 1,
  STT_FUNC: 2,
  STT_SECTION: 3,
  STV_INTERNAL: 1,
  STV_HIDDEN: 2,
} as const;

const HEADER_SIZE = 64;
const SECTION_SIZE = 64;
const SYMBOL_SIZE = 24;
const REL_SIZE = 16;

/** Limits above the output of any compiler, since each section and symbol takes memory. */
const MAX_SECTIONS = 0x10000;
const MAX_SYMBOLS = 100_000;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** In bytes; a NOBITS section has a size and no data. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly data: Uint8Array;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** STT_*, STB_* and STV_*. */
  readonly type: number;
  readonly bind: number;
  readonly visibility: number;
  /** Index of its section, or SHN_*. */
  readonly section: number;
  readonly value: number;
  readonly size: number;
}

export interface ElfRelocation {
  /** In bytes, in the section that is relocated. */
  readonly offset: number;
  /** Index of the symbol. */
  readonly symbol: number;
}

/** A relocatable 64-bit ELF file for BPF (elf(5)) in either byte order. Every offset is checked. */
export class Elf {
  readonly order: ByteOrder;
  readonly sections: readonly ElfSection[];
  readonly symbolCount: number;
  readonly #symbols: Bytes | null;
  readonly #names: Strings | null;
  readonly #byName = new Map<string, ElfSection[]>();
  /** Relocation tables by the index of the section that they relocate. */
  readonly #tables = new Map<number, ElfSection[]>();

  /** Throws ELF_MALFORMED for an invalid ELF file, ELF_UNSUPPORTED for one that is not for BPF. */
  constructor(bytes: Uint8Array) {
    this.order = orderOf(bytes);
    const file = new Bytes(bytes, this.order, "ELF_MALFORMED", "ELF header");
    if (file.length < HEADER_SIZE) throw file.error(`${file.length} bytes are less than an ELF header`);
    if (file.u32(20) !== 1) throw file.error(`version ${file.u32(20)} is not 1`);
    const machine = file.u16(18);
    if (machine !== ELF.EM_BPF)
      throw unsupported(
        `is for machine ${machine}, not for BPF (${ELF.EM_BPF})`,
        "name a BPF object, or an executable that embeds one",
      );
    if (file.u16(16) !== ELF.ET_REL)
      throw unsupported(`has ELF type ${file.u16(16)}, not relocatable (1)`, "name the file that `clang -c` wrote");
    this.sections = readSections(file);
    for (const section of this.sections) {
      put(this.#byName, section.name, section);
      if (section.type === ELF.SHT_REL || section.type === ELF.SHT_RELA) put(this.#tables, section.info, section);
    }
    const tables = this.sections.filter((section) => section.type === ELF.SHT_SYMTAB);
    if (tables.length > 1) throw file.error("there is more than one symbol table");
    const table = tables[0];
    this.#symbols = table === undefined ? null : new Bytes(table.data, this.order, "ELF_MALFORMED", "symbol table");
    this.#names = table === undefined ? null : this.#stringsOf(table, file);
    if (this.#symbols !== null && this.#symbols.length % SYMBOL_SIZE !== 0)
      throw this.#symbols.error(`${this.#symbols.length} bytes are not a multiple of ${SYMBOL_SIZE}`);
    this.symbolCount = (this.#symbols?.length ?? 0) / SYMBOL_SIZE;
    if (this.symbolCount > MAX_SYMBOLS)
      throw unsupported(`has ${this.symbolCount} symbols, more than ${MAX_SYMBOLS}`, TOO_LARGE, "symbol table");
  }

  /** The section of this name. Throws ELF_MALFORMED if there are two, since loaders differ in which one they use. */
  section(name: string): ElfSection | undefined {
    const [section, second] = this.#byName.get(name) ?? [];
    if (second === undefined) return section;
    throw new CountersignError("ELF_MALFORMED", "there is more than one section with this name", {
      place: `section ${name}`,
      remedy: "link the object again",
    });
  }

  symbol(index: number): ElfSymbol {
    const table = this.#symbols;
    if (table === null || this.#names === null || index >= this.symbolCount)
      throw new CountersignError("ELF_MALFORMED", `there is no symbol ${index}`, {
        place: "symbol table",
        remedy: REBUILD,
      });
    const at = index * SYMBOL_SIZE;
    const info = table.u8(at + 4);
    return {
      index,
      name: this.#names.text(table.u32(at)),
      type: info & 15,
      bind: info >> 4,
      visibility: table.u8(at + 5) & 3,
      section: table.u16(at + 6),
      value: table.u64(at + 8),
      size: table.u64(at + 16),
    };
  }

  *symbols(): Generator<ElfSymbol> {
    for (let index = 1; index < this.symbolCount; index++) yield this.symbol(index);
  }

  /** Number of relocations of a section. Throws like `relocationsOf`. */
  relocationCount(section: ElfSection): number {
    return this.#relocationTables(section).reduce((sum, { length }) => sum + length / REL_SIZE, 0);
  }

  /**
   * The relocations of a section, in file order. Throws ELF_MALFORMED if there are more than fit into the section,
   * ELF_UNSUPPORTED for relocations with addends, which BPF does not have.
   */
  *relocationsOf(section: ElfSection): Generator<ElfRelocation> {
    // The upper 32 bits of r_info are the symbol.
    const symbolAt = this.order === "little" ? 12 : 8;
    for (const bytes of this.#relocationTables(section))
      for (let at = 0; at < bytes.length; at += REL_SIZE)
        yield { offset: bytes.u64(at), symbol: bytes.u32(at + symbolAt) };
  }

  #relocationTables(section: ElfSection): Bytes[] {
    return (this.#tables.get(section.index) ?? []).map((table) => {
      const place = `section ${table.name}`;
      if (table.type === ELF.SHT_RELA) throw unsupported("has relocations with addends", "build it with clang", place);
      const bytes = new Bytes(table.data, this.order, "ELF_MALFORMED", place);
      const count = bytes.length / REL_SIZE;
      if (!Number.isInteger(count)) throw bytes.error(`${bytes.length} bytes are not a multiple of ${REL_SIZE}`);
      if (count > section.size / 8)
        throw bytes.error(`${count} relocations are more than section \`${section.name}\` has room for`);
      return bytes;
    });
  }

  #stringsOf(table: ElfSection, file: Bytes): Strings {
    const strings = this.sections[table.link];
    if (strings?.type !== ELF.SHT_STRTAB) throw file.error("the symbol table has no string table");
    return new Strings(new Bytes(strings.data, this.order, "ELF_MALFORMED", `section ${strings.name}`));
  }
}

function put<K>(lists: Map<K, ElfSection[]>, key: K, section: ElfSection): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [section]);
  else list.push(section);
}

/** Whether other objects cannot see a global symbol. libbpf treats it as static. */
export function isHidden({ visibility }: ElfSymbol): boolean {
  return visibility === ELF.STV_HIDDEN || visibility === ELF.STV_INTERNAL;
}

/** Whether the bytes start with the magic number of ELF. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function orderOf(bytes: Uint8Array): ByteOrder {
  const place = "ELF header";
  if (!isElf(bytes))
    throw new CountersignError("ELF_MALFORMED", "is not an ELF file", { place, remedy: "name a BPF object" });
  if (bytes[4] !== 2) throw unsupported("is not a 64-bit ELF file", "build it with `clang -target bpf`");
  if (bytes[5] === 1) return "little";
  if (bytes[5] === 2) return "big";
  throw new CountersignError("ELF_MALFORMED", `byte order ${bytes[5]} is neither little (1) nor big (2)`, {
    place,
    remedy: REBUILD,
  });
}

/** The sections of a 64-bit ELF file for any machine. Throws ELF_MALFORMED, ELF_UNSUPPORTED. */
export function elfSections(bytes: Uint8Array): readonly ElfSection[] {
  const file = new Bytes(bytes, orderOf(bytes), "ELF_MALFORMED", "ELF header");
  if (file.length < HEADER_SIZE) throw file.error(`${file.length} bytes are less than an ELF header`);
  return readSections(file);
}

function readSections(file: Bytes): ElfSection[] {
  const table = file.u64(40);
  if (table === 0) throw file.error("there are no sections");
  if (file.u16(58) !== SECTION_SIZE) throw file.error(`a section header is ${file.u16(58)} bytes, not ${SECTION_SIZE}`);
  // From 0xff00 sections on, the numbers are in the header of section 0 (elf(5), e_shnum and e_shstrndx).
  const count = file.u16(60) || file.u64(table + 32);
  const nameIndex = file.u16(62) === 0xffff ? file.u32(table + 40) : file.u16(62);
  if (count > MAX_SECTIONS) throw unsupported(`has ${count} sections, more than ${MAX_SECTIONS}`, TOO_LARGE);
  if (count * SECTION_SIZE > file.length - table)
    throw file.error(`${count} section headers are beyond the file's end`);
  if (nameIndex >= count) throw file.error(`there is no section ${nameIndex} for the sections' names`);
  const texts = dataOf(file, table + nameIndex * SECTION_SIZE, `section ${nameIndex}`);
  const names = new Strings(new Bytes(texts, file.order, "ELF_MALFORMED", "sections' names"));
  const sections: ElfSection[] = [];
  let held = 0;
  for (let index = 0; index < count; index++) {
    const at = table + index * SECTION_SIZE;
    const name = index === 0 ? "" : names.text(file.u32(at));
    const type = file.u32(at + 4);
    const data = type === 0 ? NOTHING : dataOf(file, at, `section ${name || index}`);
    held += data.length;
    if (held > file.length) throw file.error("sections overlap: they hold more bytes than the file");
    sections.push({
      index,
      name,
      type,
      flags: file.u32(at + 8 + (file.order === "little" ? 0 : 4)),
      size: index === 0 ? 0 : file.u64(at + 32),
      link: file.u32(at + 40),
      info: file.u32(at + 44),
      data,
    });
  }
  return sections;
}

const NOTHING = new Uint8Array(0);

function dataOf(file: Bytes, header: number, place: string): Uint8Array {
  if (file.u32(header + 4) === ELF.SHT_NOBITS) return NOTHING;
  const offset = file.u64(header + 24);
  const size = file.u64(header + 32);
  if (offset + size > file.length)
    throw new CountersignError(
      "ELF_MALFORMED",
      `${size} bytes at offset ${offset} are beyond the file's ${file.length}`,
      {
        place,
        remedy: "fetch the object again: it is probably truncated",
      },
    );
  return file.part(offset, size);
}

function unsupported(message: string, remedy: string, place = "ELF header"): CountersignError {
  return new CountersignError("ELF_UNSUPPORTED", message, { place, remedy });
}
