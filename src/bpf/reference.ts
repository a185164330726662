import { CountersignError } from "../error.js";
import type { Btf } from "./btf.js";
import type { KernelName, MapReference } from "./code.js";
import { essentialName } from "./core-relo.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol } from "./elf.js";
import { INSN_SIZE, LD_SRC, OP } from "./insn.js";
import type { ObjectMaps } from "./map.js";

/** The target of an instruction with a relocation. */
export type Reference =
  | { readonly to: "map"; readonly reference: MapReference }
  /** A subprogram: the offset of its symbol in `.text`, to which the instruction's immediate is added. */
  | { readonly to: "subprogram"; readonly offset: number }
  | { readonly to: "kfunc" | "ksym"; readonly name: KernelName };

/** Maximum number of relocations, far above that of any known object, since each takes memory. */
const MAX_RELOCATIONS = 100_000;

/** The relocations of an object's sections, resolved as bpf_program__record_reloc of libbpf does. */
export class References {
  readonly #bySection = new Map<number, ReadonlyMap<number, Reference>>();
  #externs: ReadonlyMap<string, Extern> | undefined;
  #left = MAX_RELOCATIONS;

  constructor(
    readonly elf: Elf,
    readonly btf: Btf | null,
    readonly maps: ObjectMaps,
  ) {}

  /** References by slot in the section. Throws ELF_MALFORMED, and ELF_UNSUPPORTED where libbpf would fail. */
  of(section: ElfSection): ReadonlyMap<number, Reference> {
    let found = this.#bySection.get(section.index);
    if (found === undefined) {
      found = this.#resolve(section);
      this.#bySection.set(section.index, found);
    }
    return found;
  }

  #resolve(section: ElfSection): ReadonlyMap<number, Reference> {
    const found = new Map<number, Reference>();
    this.#left -= this.elf.relocationCount(section);
    if (this.#left < 0) throw unsupported(`has more than ${MAX_RELOCATIONS} relocations`, `section ${section.name}`);
    for (const { offset, symbol } of this.elf.relocationsOf(section)) {
      const place = `section ${section.name}: relocation at ${offset}`;
      if (offset % INSN_SIZE !== 0 || offset >= section.size) throw malformed("is not at an instruction", place);
      const slot = offset / INSN_SIZE;
      if (found.has(slot)) throw malformed("is a second relocation of the same instruction", place);
      found.set(slot, this.#reference(section.data, offset, this.elf.symbol(symbol), place));
    }
    return found;
  }

  #reference(data: Uint8Array, at: number, symbol: ElfSymbol, place: string): Reference {
    const opcode = data[at];
    const registers = data[at + 1]!;
    const src = this.elf.order === "little" ? registers >> 4 : registers & 15;
    if (opcode !== OP.CALL && opcode !== OP.LD_IMM64) throw malformed("is neither at a call nor at an ld_imm64", place);
    if (opcode === OP.LD_IMM64 && at + 2 * INSN_SIZE > data.length)
      throw malformed("is at an incomplete ld_imm64", place);
    if (isExtern(symbol)) return this.#extern(symbol, opcode === OP.CALL, place);
    const target = this.elf.sections[symbol.section];
    if (target === undefined || symbol.section === ELF.SHN_UNDEF)
      throw unsupported(`refers to \`${symbol.name}\` in no section of its own`, place);
    if (opcode === OP.CALL) {
      if (src !== 1 || target.name !== ".text" || symbol.value % INSN_SIZE !== 0)
        throw unsupported(`calls \`${symbol.name}\` in section \`${target.name}\`, not a function in \`.text\``, place);
      return { to: "subprogram", offset: symbol.value };
    }
    if (target.name === ".text" && (target.flags & ELF.SHF_EXECINSTR) !== 0) {
      if ((src !== LD_SRC.NUMBER && src !== LD_SRC.FUNC) || symbol.value % INSN_SIZE !== 0)
        throw unsupported(`takes the address of \`${symbol.name}\` in an unknown way`, place);
      return { to: "subprogram", offset: symbol.value };
    }
    return { to: "map", reference: this.#map(symbol, target, data, at, place) };
  }

  #map(symbol: ElfSymbol, target: ElfSection, data: Uint8Array, at: number, place: string): MapReference {
    const global = this.maps.globalData(target.index);
    if (global !== undefined) return { map: global, offset: (symbol.value + this.#imm(data, at)) | 0 };
    const map = this.maps.defined(target.index, symbol.value);
    if (map !== undefined) return { map, offset: null };
    if (this.maps.holdsDefinitions(target.index)) throw malformed(`refers to no map at ${symbol.value}`, place);
    throw unsupported(`refers to section \`${target.name}\`, which no loader turns into a map`, place);
  }

  #extern(symbol: ElfSymbol, call: boolean, place: string): Reference {
    this.#externs ??= externsOf(this.btf);
    const extern = this.#externs.get(symbol.name);
    const name = { name: essentialName(symbol.name), module: null, btfId: extern?.id ?? null };
    if (call) return { to: "kfunc", name: { ...name, typed: true } };
    if (extern?.kconfig === true) return { to: "map", reference: { map: this.maps.kconfig, offset: extern.offset } };
    if (symbol.name === "") throw malformed("refers to a symbol without a name", place);
    return { to: "ksym", name: { ...name, typed: extern?.typed ?? false } };
  }

  #imm(data: Uint8Array, at: number): number {
    const view = new DataView(data.buffer, data.byteOffset + at + 4, 4);
    return view.getInt32(0, this.elf.order === "little");
  }
}

interface Extern {
  readonly id: number;
  readonly kconfig: boolean;
  readonly typed: boolean;
  readonly offset: number;
}

/** Externs by name, from the BTF sections that list them: `.ksyms` (kernel functions and variables) and `.kconfig`. */
function externsOf(btf: Btf | null): ReadonlyMap<string, Extern> {
  const found = new Map<string, Extern>();
  if (btf === null) return found;
  for (const section of [".ksyms", ".kconfig"])
    for (const { type: id, offset } of btf.variables(btf.section(section))) {
      const typed = btf.kind(id) === "func" || btf.kind(btf.resolve(btf.target(id))) !== "void";
      found.set(btf.name(id), { id, kconfig: section === ".kconfig", typed, offset });
    }
  return found;
}

/** Whether the symbol is undefined and untyped, and so defined by the kernel (libbpf's sym_is_extern). */
function isExtern(symbol: ElfSymbol): boolean {
  const { section, bind, type } = symbol;
  return section === ELF.SHN_UNDEF && (bind === ELF.STB_GLOBAL || bind === ELF.STB_WEAK) && type === ELF.STT_NOTYPE;
}

function malformed(message: string, place: string): CountersignError {
  return new CountersignError("ELF_MALFORMED", message, { place, remedy: "build the object again" });
}

function unsupported(message: string, place: string): CountersignError {
  return new CountersignError("ELF_UNSUPPORTED", message, { place, remedy: "build it as libbpf expects an object" });
}
