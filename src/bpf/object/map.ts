import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { Bytes } from "../elf/bytes.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol, isHidden } from "../elf/elf.js";
import { TOO_LARGE } from "../elf/remedies.js";
import { sha256 } from "../insn/digest.js";
import type { CodeMap } from "../model/code.js";
import { kconfigLayout, kconfigSize } from "./kconfig.js";
import { type DefinedMap, valuesOffset, withContents } from "./map-contents.js";
import { globalDataMap, readBtfMap, readLegacyMap } from "./map-definition.js";

/** map_flags (include/uapi/linux/bpf.h) that libbpf sets for global data. */
const RDONLY_PROG = 1 << 7;
const MMAPABLE = 1 << 10;

/** Maximum number of maps of one object, above that of any known loader, since each takes memory. */
const MAX_MAPS = 4096;

/** The maps of one object: those that it defines, and those that the loader creates for its global data. */
export class ObjectMaps {
  /** Defined maps, by section and offset. */
  readonly #defined = new Map<number, Map<number, CodeMap>>();
  readonly #global = new Map<number, CodeMap>();
  readonly #shared = new Map<string, boolean>();
  #kconfig: CodeMap | undefined;
  #all: readonly CodeMap[] | undefined;

  constructor(
    readonly elf: Elf,
    readonly btf: Btf | null,
    /** Symbols that are not functions, by section. */
    symbols: ReadonlyMap<number, readonly ElfSymbol[]>,
  ) {
    // Rejects duplicate sections of definitions: it is unknown which one the BTF describes.
    for (const name of [".maps", "maps"]) elf.section(name);
    let count = 0;
    for (const section of elf.sections) {
      const here = symbols.get(section.index) ?? [];
      if (section.name === ".maps" || section.name === "maps") count += here.length;
      else if (isGlobalData(section)) count += 1;
      if (count > MAX_MAPS)
        throw new CountersignError("ELF_UNSUPPORTED", `there are more than ${MAX_MAPS} maps`, {
          place: `section ${section.name}`,
          remedy: TOO_LARGE,
        });
      if (section.name === ".maps") this.#defined.set(section.index, this.#fromBtf(section, here));
      else if (section.name === "maps" && section.data.length > 0)
        this.#defined.set(section.index, legacyMaps(elf, section, here));
      else if (isGlobalData(section)) this.#global.set(section.index, this.#globalData(section, here));
    }
    this.#placeArena();
  }

  /** The map that is defined at this place. */
  defined(section: number, offset: number): CodeMap | undefined {
    return this.#defined.get(section)?.get(offset);
  }

  holdsDefinitions(section: number): boolean {
    return this.#defined.has(section);
  }

  /** The map that the loader creates for a section of global data. */
  globalData(section: number): CodeMap | undefined {
    return this.#global.get(section);
  }

  /** The map that the loader creates for kernel configuration values (`extern … __kconfig`). */
  get kconfig(): CodeMap {
    this.#kconfig ??= globalDataMap(".kconfig", this.#kconfigSize(), RDONLY_PROG | this.#mmapable(".kconfig"), {
      frozen: true,
    });
    return this.#kconfig;
  }

  #kconfigSize(): number {
    return this.btf === null ? 0 : kconfigSize(kconfigLayout(this.btf));
  }

  /**
   * Every map that libbpf creates for the object (bpf_object__create_maps), in its order. An inner map precedes its
   * outer map. Maps of struct_ops are not included.
   */
  all(): readonly CodeMap[] {
    this.#all ??= this.#allMaps();
    return this.#all;
  }

  #allMaps(): readonly CodeMap[] {
    const defined = [...this.#defined.values()].flatMap((maps) => [...maps.values()]);
    const { btf } = this;
    const configured = btf !== null && btf.variables(btf.section(".kconfig")).length > 0;
    return [
      ...new Set([
        ...defined.flatMap((map) => (map.inner === null ? [map] : [map.inner, map])),
        ...this.#global.values(),
        ...(configured ? [this.kconfig] : []),
      ]),
    ];
  }

  /** Associates the variables of the arena address space with the one arena of the object. */
  #placeArena(): void {
    const section = this.elf.section(".addr_space.1");
    const defined = [...this.#defined.values()].flatMap((maps) => [...maps.values()]);
    const arena = defined.find(({ type }) => type === "arena");
    if (section !== undefined && arena !== undefined) this.#global.set(section.index, arena);
  }

  #fromBtf(section: ElfSection, symbols: readonly ElfSymbol[]): Map<number, CodeMap> {
    const maps = new Map<number, DefinedMap>();
    const { btf } = this;
    if (btf === null) {
      if (symbols.length === 0) return new Map();
      throw new CountersignError("BTF_MALFORMED", "there is no BTF that describes its maps", {
        place: `section ${section.name}`,
        remedy: "build the object with `-g`",
      });
    }
    // In an object that no linker has processed, only the symbols have the offsets. Static maps of several files that
    // `bpftool gen object` has linked can have one name, and then the BTF has the offsets.
    const offsets = new Map(symbols.map((symbol) => [symbol.name, symbol.value]));
    const names = new Set<string>();
    const shared = new Set(symbols.filter(({ name }) => names.size === names.add(name).size).map(({ name }) => name));
    const variables = btf.variables(btf.section(section.name));
    if (variables.length > symbols.length)
      throw new CountersignError("ELF_MALFORMED", `${variables.length} maps have ${symbols.length} symbols`, {
        place: `section ${section.name}`,
        remedy: "build the object again",
      });
    for (const variable of variables) {
      const name = btf.name(variable.type);
      const offset = shared.has(name) ? variable.offset : offsets.get(name);
      if (offset === undefined)
        throw new CountersignError("ELF_MALFORMED", `map \`${name}\` has no symbol`, {
          place: `section ${section.name}`,
          remedy: "build the object again",
        });
      const definition = btf.target(variable.type);
      maps.set(offset, { map: readBtfMap(btf, definition, name), values: valuesOffset(btf, definition) });
    }
    return withContents(this.elf, section, maps);
  }

  /** Creates `.rodata`, `.data` and `.bss` as libbpf's bpf_object__init_internal_map does. */
  #globalData(section: ElfSection, symbols: readonly ElfSymbol[]): CodeMap {
    const readOnly = isReadOnly(section.name);
    const data = section.type === ELF.SHT_NOBITS ? null : section.data;
    const flags = (readOnly ? RDONLY_PROG : 0) | this.#mmapable(section.name, symbols);
    return globalDataMap(section.name, section.size, flags, {
      data,
      frozen: readOnly,
      contents: readOnly && data !== null ? sha256(data) : null,
    });
  }

  /**
   * BPF_F_MMAPABLE unless all variables of the section are static or hidden: libbpf maps other sections into the
   * loader's memory.
   */
  #mmapable(name: string, symbols: readonly ElfSymbol[] = []): number {
    let shared = this.#shared.get(name);
    if (shared === undefined) {
      const { btf } = this;
      const hidden = new Set(symbols.filter(isHidden).map((symbol) => symbol.name));
      const variables = btf?.variables(btf.section(name)) ?? [];
      shared = variables.some(
        ({ type }) => btf?.kind(type) === "var" && btf.linkage(type) !== 0 && !hidden.has(btf.name(type)),
      );
      this.#shared.set(name, shared);
    }
    return shared ? MMAPABLE : 0;
  }
}

const isReadOnly = (name: string) => name === ".rodata" || name.startsWith(".rodata.");

/** Whether libbpf creates a map for the section (bpf_object__elf_collect). */
function isGlobalData(section: ElfSection): boolean {
  const { name, type, size } = section;
  if (type === ELF.SHT_NOBITS) return size > 0 && (name === ".bss" || name.startsWith(".bss."));
  if (type !== ELF.SHT_PROGBITS || size === 0) return false;
  return name === ".data" || name.startsWith(".data.") || isReadOnly(name);
}

function legacyMaps(elf: Elf, section: ElfSection, symbols: readonly ElfSymbol[]): Map<number, CodeMap> {
  const bytes = new Bytes(section.data, elf.order, "ELF_MALFORMED", `section ${section.name}`);
  const named = symbols.filter((symbol) => symbol.type !== ELF.STT_SECTION);
  if (named.length === 0) throw bytes.error("no symbol locates its maps");
  // All definitions of a section have the same size, as libbpf before 1.0 required.
  const size = bytes.length / named.length;
  if (!Number.isInteger(size)) throw bytes.error(`${bytes.length} bytes are not ${named.length} maps of one size`);
  return new Map(named.map(({ name, value }) => [value, readLegacyMap(bytes, value, size, name)]));
}
