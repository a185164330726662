import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { essentialName } from "../btf/essential-name.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol } from "../elf/elf.js";
import { MAX_RELOCATIONS } from "../elf/limits.js";
import { TOO_LARGE } from "../elf/remedies.js";
import { INSN_SIZE, LD_SRC, OP } from "../insn/insn.js";
import type { KernelName, MapReference } from "../model/code.js";
import { type Extern, externsOf, isExtern } from "./externs.js";
import type { ObjectMaps } from "./map.js";

/** The target of an instruction with a relocation. */
export type Reference =
  | { readonly to: "map"; readonly reference: MapReference }
  /** A subprogram: the offset of its symbol in `.text`, to which the instruction's immediate is added. */
  | { readonly to: "subprogram"; readonly offset: number }
  | { readonly to: "kfunc" | "ksym"; readonly name: KernelName };

/** Composed only for an error, since objects have thousands of relocations. */
type Place = () => string;

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
    if (this.#left < 0)
      throw unsupported(`has more than ${MAX_RELOCATIONS} relocations`, () => `section ${section.name}`, TOO_LARGE);
    for (const { offset, symbol } of this.elf.relocationsOf(section)) {
      const place = () => `section ${section.name}: relocation at ${offset}`;
      if (offset % INSN_SIZE !== 0 || offset >= section.size) throw malformed("is not at an instruction", place);
      const slot = offset / INSN_SIZE;
      if (found.has(slot)) throw malformed("is a second relocation of the same instruction", place);
      found.set(slot, this.#reference(section.data, offset, this.elf.symbol(symbol), place));
    }
    return found;
  }

  #reference(data: Uint8Array, at: number, symbol: ElfSymbol, place: Place): Reference {
    const opcode = data[at];
    const registers = data[at + 1]!;
    const src = this.elf.order === "little" ? registers >> 4 : registers & 15;
    if (opcode !== OP.CALL && opcode !== OP.LD_IMM64) throw malformed("is neither at a call nor at an ld_imm64", place);
    if (opcode === OP.LD_IMM64 && at + 2 * INSN_SIZE > data.length)
      throw malformed("is at an incomplete ld_imm64", place);
    if (isExtern(symbol)) return this.#extern(symbol, opcode === OP.CALL, place);
    const target = this.elf.sections[symbol.section];
    if (target === undefined || symbol.section === ELF.SHN_UNDEF)
      throw unsupported(`refers to \`${symbol.name}\` in no section of its own`, place, LIBBPF);
    if (opcode === OP.CALL) {
      if (src !== 1 || target.name !== ".text" || symbol.value % INSN_SIZE !== 0)
        throw unsupported(
          `calls \`${symbol.name}\` in section \`${target.name}\`, not a function in \`.text\``,
          place,
          SUBPROGRAM,
        );
      return { to: "subprogram", offset: symbol.value };
    }
    if (target.name === ".text" && (target.flags & ELF.SHF_EXECINSTR) !== 0) {
      if ((src !== LD_SRC.NUMBER && src !== LD_SRC.FUNC) || symbol.value % INSN_SIZE !== 0)
        throw unsupported(`takes the address of \`${symbol.name}\` in an unknown way`, place, LIBBPF);
      return { to: "subprogram", offset: symbol.value };
    }
    return { to: "map", reference: this.#map(symbol, target, data, at, place) };
  }

  #map(symbol: ElfSymbol, target: ElfSection, data: Uint8Array, at: number, place: Place): MapReference {
    const global = this.maps.globalData(target.index);
    if (global !== undefined) return { map: global, offset: (symbol.value + this.#imm(data, at)) | 0 };
    // the references to static maps are relative to their section
    const offset = symbol.value + (symbol.type === ELF.STT_SECTION ? this.#imm(data, at) : 0);
    const map = this.maps.defined(target.index, offset);
    if (map !== undefined) return { map, offset: null };
    if (this.maps.holdsDefinitions(target.index)) throw malformed(`refers to no map at ${offset}`, place);
    throw unsupported(`refers to section \`${target.name}\`, which no loader turns into a map`, place, GLOBAL_DATA);
  }

  #extern(symbol: ElfSymbol, call: boolean, place: Place): Reference {
    this.#externs ??= new Map(externsOf(this.elf, this.btf).map((extern) => [extern.name, extern]));
    const extern = this.#externs.get(symbol.name);
    const name = { name: essentialName(symbol.name), module: null, btfId: extern?.btfId ?? null };
    if (call) return { to: "kfunc", name: { ...name, typed: true } };
    if (extern?.kind === "kconfig") return { to: "map", reference: { map: this.maps.kconfig, offset: extern.offset } };
    if (symbol.name === "") throw malformed("refers to a symbol without a name", place);
    return { to: "ksym", name: { ...name, typed: (extern?.typeId ?? 0) !== 0 } };
  }

  #imm(data: Uint8Array, at: number): number {
    const view = new DataView(data.buffer, data.byteOffset + at + 4, 4);
    return view.getInt32(0, this.elf.order === "little");
  }
}

function malformed(message: string, place: Place): CountersignError {
  return new CountersignError("ELF_MALFORMED", message, { place: place(), remedy: "build the object again" });
}

/** Remedies: what libbpf supports in an object. */
const LIBBPF = "remove the reference: libbpf does not resolve it";
const SUBPROGRAM = "move the function to `.text`: remove `SEC()` from it";
const GLOBAL_DATA = "put the variable into `.data`, `.rodata` or `.bss`, as clang does without `SEC()`";

function unsupported(message: string, place: Place, remedy: string): CountersignError {
  return new CountersignError("ELF_UNSUPPORTED", message, { place: place(), remedy });
}
