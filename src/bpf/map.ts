import { CountersignError } from "../error.js";
import type { Btf } from "./btf.js";
import { Bytes } from "./bytes.js";
import type { CodeMap } from "./code.js";
import { sha256 } from "./digest.js";
import { ELF, type Elf, type ElfSection, type ElfSymbol } from "./elf.js";
import { type DefinedMap, valuesOffset, withContents } from "./map-contents.js";
import { globalDataMap, readBtfMap, readLegacyMap } from "./map-definition.js";

/** Flags of map_flags (include/uapi/linux/bpf.h) that libbpf sets for global data. */
const RDONLY_PROG = 1 << 7;
const MMAPABLE = 1 << 10;

/** More maps than this in one object are refused: no loader makes so many, and each costs memory. */
const MAX_MAPS = 4096;

/** The maps of one object: those that it defines, and those that the loader makes for its global data. */
export class ObjectMaps {
  /** Defined ones by section and offset. */
  readonly #defined = new Map<number, Map<number, CodeMap>>();
  readonly #global = new Map<number, CodeMap>();
  readonly #shared = new Map<string, boolean>();
  #kconfig: CodeMap | undefined;

  constructor(
    readonly elf: Elf,
    readonly btf: Btf | null,
    /** Symbols of things that are no functions, by section. */
    symbols: ReadonlyMap<number, readonly ElfSymbol[]>,
  ) {
    // of two sections of definitions it cannot be told which the BTF is about
    for (const name of [".maps", "maps"]) elf.section(name);
    let count = 0;
    for (const section of elf.sections) {
      const here = symbols.get(section.index) ?? [];
      if (section.name === ".maps" || section.name === "maps") count += here.length;
      else if (isGlobalData(section)) count += 1;
      if (count > MAX_MAPS)
        throw new CountersignError("ELF_UNSUPPORTED", `there are more than ${MAX_MAPS} maps`, {
          place: `section ${section.name}`,
          remedy: "check that this is an object that a compiler made",
        });
      if (section.name === ".maps") this.#defined.set(section.index, this.#fromBtf(section, here));
      else if (section.name === "maps" && section.data.length > 0)
        this.#defined.set(section.index, legacyMaps(elf, section, here));
      else if (isGlobalData(section)) this.#global.set(section.index, this.#globalData(section));
    }
    this.#placeArena();
  }

  /** The map that a symbol at this place stands for. */
  defined(section: number, offset: number): CodeMap | undefined {
    return this.#defined.get(section)?.get(offset);
  }

  holdsDefinitions(section: number): boolean {
    return this.#defined.has(section);
  }

  /** The map that the loader makes of a section with global data. */
  globalData(section: number): CodeMap | undefined {
    return this.#global.get(section);
  }

  /** The map that the loader makes of the kernel's configuration, for `extern … __kconfig`. */
  get kconfig(): CodeMap {
    this.#kconfig ??= globalDataMap(".kconfig", kconfigSize(this.btf), RDONLY_PROG | this.#mmapable(".kconfig"), {
      frozen: true,
    });
    return this.#kconfig;
  }

  /**
   * Every map that libbpf creates of the object (bpf_object__create_maps), in its order; an inner map stands before the
   * map that holds it. Maps of struct_ops are not among them.
   */
  all(): readonly CodeMap[] {
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

  /** Variables of the arena's address space lie in the one arena that the object defines. */
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
      throw new CountersignError("BTF_MALFORMED", "there is no BTF to say what its maps are", {
        place: `section ${section.name}`,
        remedy: "build the object with `-g`",
      });
    }
    // an object that was not linked has the offsets in its symbols alone
    const offsets = new Map(symbols.map((symbol) => [symbol.name, symbol.value]));
    const variables = btf.variables(btf.section(section.name));
    if (variables.length > symbols.length)
      throw new CountersignError("ELF_MALFORMED", `${variables.length} maps have ${symbols.length} symbols`, {
        place: `section ${section.name}`,
        remedy: "build the object again",
      });
    for (const variable of variables) {
      const name = btf.name(variable.type);
      const offset = offsets.get(name);
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

  /** `.rodata`, `.data` and `.bss` as libbpf's bpf_object__init_internal_map makes them. */
  #globalData(section: ElfSection): CodeMap {
    const readOnly = isReadOnly(section.name);
    const data = section.type === ELF.SHT_NOBITS ? null : section.data;
    return globalDataMap(section.name, section.size, (readOnly ? RDONLY_PROG : 0) | this.#mmapable(section.name), {
      data,
      frozen: readOnly,
      contents: readOnly && data !== null ? sha256(data) : null,
    });
  }

  /** libbpf maps a section into the loader's memory unless all of its variables are static. */
  #mmapable(name: string): number {
    let shared = this.#shared.get(name);
    if (shared === undefined) {
      const { btf } = this;
      const variables = btf?.variables(btf.section(name)) ?? [];
      shared = variables.some(({ type }) => btf?.kind(type) === "var" && btf.linkage(type) !== 0);
      this.#shared.set(name, shared);
    }
    return shared ? MMAPABLE : 0;
  }
}

const isReadOnly = (name: string) => name === ".rodata" || name.startsWith(".rodata.");

/** The sections that libbpf makes maps of (bpf_object__elf_collect). */
function isGlobalData(section: ElfSection): boolean {
  const { name, type, size } = section;
  if (type === ELF.SHT_NOBITS) return size > 0 && (name === ".bss" || name.startsWith(".bss."));
  if (type !== ELF.SHT_PROGBITS || size === 0) return false;
  return name === ".data" || name.startsWith(".data.") || isReadOnly(name);
}

function legacyMaps(elf: Elf, section: ElfSection, symbols: readonly ElfSymbol[]): Map<number, CodeMap> {
  const bytes = new Bytes(section.data, elf.order, "ELF_MALFORMED", `section ${section.name}`);
  const named = symbols.filter((symbol) => symbol.type !== ELF.STT_SECTION);
  if (named.length === 0) throw bytes.error("no symbol says where its maps are");
  // all definitions of a section are of one size, as libbpf before 1.0 wanted them
  const size = bytes.length / named.length;
  if (!Number.isInteger(size)) throw bytes.error(`${bytes.length} bytes are not ${named.length} maps of one size`);
  return new Map(named.map(({ name, value }) => [value, readLegacyMap(bytes, value, size, name)]));
}

/** Each option lies at the next offset of its alignment, wider ones first (libbpf's bpf_object__collect_externs). */
function kconfigSize(btf: Btf | null): number {
  if (btf === null) return 0;
  const sizes = btf.variables(btf.section(".kconfig")).map(({ type }) => btf.sizeOf(type));
  return sizes.reduce((total, size) => total + size, 0);
}
