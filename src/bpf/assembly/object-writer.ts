import { CALL_SRC, LD_SRC, OP } from "../insn/insn.js";
import type { CodeMap } from "../model/code.js";
import { MAP_TYPES } from "../tables/names.gen.js";
import { assemble, encode } from "./assembly.js";
import type { Line } from "./assembly-lines.js";
import { BtfWriter } from "./btf-writer.js";
import { elfOf, symbolOf, type WrittenSection } from "./elf-writer.js";

/** An object with one program, as clang would write it. */
export interface WrittenObject {
  readonly name: string;
  /** It says the type of the program, as `SEC()` does. */
  readonly section: string;
  /** At most 62 bytes. */
  readonly license: string;
  /** A line refers to maps as {@link parse} has them, whose names must be different. */
  readonly lines: readonly Line[];
  /** All maps of the object, also those that no line refers to. A map that is not `own` is pinned by its name. */
  readonly maps: readonly CodeMap[];
}

/** Writes a little-endian ELF object that libbpf opens, with the definitions of its maps and kfuncs in BTF. */
export function writeObject(object: WrittenObject): Buffer {
  const { section, license, maps } = object;
  const code = encodeForLinker(object.lines);
  const name = Buffer.from(section, "utf8").toString("latin1");
  const data: readonly WrittenSection[] = [
    { name, type: SHT.data, flags: ALLOCATED | EXECUTABLE, data: code },
    { name: "license", type: SHT.data, flags: ALLOCATED | WRITABLE, data: Buffer.from(`${license}\0`) },
    // libbpf rejects a section of maps without one
    ...(maps.length === 0 ? [] : [definitionsOf(maps)]),
  ];
  const symbols = new Symbols();
  symbols.add(object.name, GLOBAL_FUNCTION, CODE, 0, code.length);
  const mapSymbols = new Map(
    maps.map(({ name }, index) => [name, symbols.add(name, GLOBAL_OBJECT, MAPS, index * DEFINITION, DEFINITION)]),
  );
  const kfuncs = [...new Set(object.lines.flatMap(({ kfunc }) => (kfunc === null ? [] : [kfunc.name])))];
  const kfuncSymbols = new Map(kfuncs.map((name) => [name, symbols.add(name, GLOBAL_UNTYPED, UNDEFINED, 0, 0)]));
  const relocations = relocationsOf(object.lines, mapSymbols, kfuncSymbols);
  const table = data.length + 1;
  return elfOf(
    ...data,
    { name: ".symtab", type: SHT.symbols, link: table + 1, info: 1, data: symbols.table },
    { name: ".strtab", type: SHT.strings, data: symbols.strings },
    { name: ".BTF", type: SHT.data, data: btfOf(maps, kfuncs) },
    ...(relocations.length === 0
      ? []
      : [{ name: `.rel${name}`, type: SHT.relocations, link: table, info: CODE, data: relocations }]),
  );
}

/** Section types and flags, and the info of symbols (elf.h). */
const SHT = { data: 1, symbols: 2, strings: 3, relocations: 9 } as const;
/** Numbers of the sections with the program and with maps; that of no section. */
const CODE = 1;
const MAPS = 3;
const UNDEFINED = 0;
const WRITABLE = 1;
const ALLOCATED = 2;
const EXECUTABLE = 4;
const GLOBAL_UNTYPED = 0x10;
const GLOBAL_OBJECT = 0x11;
const GLOBAL_FUNCTION = 0x12;
/** Relocation types of BPF: R_BPF_64_64 at an ld_imm64, R_BPF_64_32 at a call. */
const R_BPF_64_64 = 1;
const R_BPF_64_32 = 10;

/** Members of a map's definition, of which each is a pointer. */
const MEMBERS = ["type", "key_size", "value_size", "max_entries", "map_flags", "pinning"] as const;
/** Bytes of a definition. */
const DEFINITION = 8 * MEMBERS.length;

function definitionsOf(maps: readonly CodeMap[]): WrittenSection {
  return { name: ".maps", type: SHT.data, flags: ALLOCATED | WRITABLE, data: Buffer.alloc(DEFINITION * maps.length) };
}

/** As a compiler leaves instructions to the linker: a reference to a map has no fd, a call of a kfunc no number. */
function encodeForLinker(lines: readonly Line[]): Uint8Array {
  const open = lines.map((line) => {
    if (line.map !== null) return { ...line, src: LD_SRC.NUMBER };
    return line.kfunc === null ? line : { ...line, src: CALL_SRC.SUBPROGRAM, imm: -1 };
  });
  return encode(assemble(open, { type: "unknown" }).insns);
}

function relocationsOf(
  lines: readonly Line[],
  maps: ReadonlyMap<string, number>,
  kfuncs: ReadonlyMap<string, number>,
): Buffer {
  const rows: Buffer[] = [];
  let slot = 0;
  for (const { opcode, map, kfunc } of lines) {
    if (map !== null) rows.push(relocation(slot, maps.get(map.map.name)!, R_BPF_64_64));
    if (kfunc !== null) rows.push(relocation(slot, kfuncs.get(kfunc.name)!, R_BPF_64_32));
    slot += opcode === OP.LD_IMM64 ? 2 : 1;
  }
  return Buffer.concat(rows);
}

function relocation(slot: number, symbol: number, type: number): Buffer {
  const row = Buffer.alloc(16);
  row.writeBigUInt64LE(BigInt(8 * slot), 0);
  row.writeBigUInt64LE((BigInt(symbol) << 32n) | BigInt(type), 8);
  return row;
}

/** A symbol table and its strings. */
class Symbols {
  readonly #rows: Buffer[] = [Buffer.alloc(24)];
  readonly #strings: Buffer[] = [Buffer.alloc(1)];
  #length = 1;

  /** Returns the number of the symbol. */
  add(name: string, info: number, section: number, value: number, size: number): number {
    this.#rows.push(symbolOf(this.#length, info, section, value, size));
    const text = Buffer.from(`${name}\0`);
    this.#strings.push(text);
    this.#length += text.length;
    return this.#rows.length - 1;
  }

  get table(): Buffer {
    return Buffer.concat(this.#rows);
  }

  get strings(): Buffer {
    return Buffer.concat(this.#strings);
  }
}

/** BTF encoding of a signed integer. */
const SIGNED = 1;

/** The definitions of maps: each number is the length of an array that a member points to. */
function btfOf(maps: readonly CodeMap[], kfuncs: readonly string[]): Buffer {
  const btf = new BtfWriter();
  const int = btf.int("int", 4, { encoding: SIGNED });
  const rows = maps.map((map, index) => {
    const numbers = [
      Math.max(0, MAP_TYPES.indexOf(map.type)),
      map.key_size,
      map.value_size,
      map.max_entries,
      map.flags,
      map.own ? 0 : 1,
    ];
    const pointers = numbers.map((number) => btf.ptr(btf.array(int, number)));
    const members = MEMBERS.map((name, at) => [name, pointers[at]!, 64 * at] as const);
    // A member that is 0 is left out, since libbpf rejects a size of 0
    const given = members.filter((_, at) => at === 0 || numbers[at]! > 0);
    return [btf.var(map.name, btf.struct("", DEFINITION, given)), index * DEFINITION, DEFINITION] as const;
  });
  if (rows.length > 0) btf.datasec(".maps", DEFINITION * rows.length, rows);
  const functions = kfuncs.map((name) => [btf.func(name, btf.proto(int, []), EXTERN), 0, 4] as const);
  if (functions.length > 0) btf.datasec(".ksyms", 4 * functions.length, functions);
  return btf.bytes();
}

/** Linkage of a function that the kernel has. */
const EXTERN = 2;
