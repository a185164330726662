import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import { ELF, type ElfSection } from "../elf/elf.js";
import type { CodeMap } from "../model/code.js";
import { type MapDefinition, readDefinition } from "../object/map-definition.js";
import { STRUCT_OPS_LINK, STRUCT_OPS_SECTIONS } from "../object/struct-ops.js";
import type { StatedMap, StatedMapKind } from "./content.js";
import type { StatementSource } from "./source.js";

/** The maps of an object in libbpf's order, and the index of each map that instructions refer to. */
export interface ObjectMapList {
  readonly maps: readonly StatedMap[];
  readonly indexes: ReadonlyMap<CodeMap, number>;
}

/** Throws ELF_UNSUPPORTED for what libbpf has rejected since 1.0: definitions of section `maps`, and static maps. */
export function statedMaps(source: StatementSource): ObjectMapList {
  const rows = [...definedMaps(source), ...globalDataMaps(source), ...kconfigMap(source), ...structOpsMaps(source)];
  const indexes = new Map<CodeMap, number>();
  for (const [index, { map }] of rows.entries()) if (map !== null) indexes.set(map, index);
  return { maps: rows.map(({ stated }) => stated), indexes };
}

interface Row {
  readonly stated: StatedMap;
  readonly map: CodeMap | null;
}

/** Linkage of a BTF_KIND_VAR (linux/btf.h). */
const GLOBAL = 1;

/** `.maps` by offset (bpf_object__init_user_btf_maps, after btf_fixup_datasec). */
function definedMaps({ elf, btf, symbols, objectMaps }: StatementSource): Row[] {
  const legacy = elf.section("maps");
  if (legacy !== undefined && objectMaps.holdsDefinitions(legacy.index))
    throw new CountersignError("ELF_UNSUPPORTED", "defines maps in a way that libbpf has rejected since 1.0", {
      place: "section maps",
      remedy: "define them in section `.maps`",
    });
  const section = elf.section(".maps");
  if (section === undefined || btf === null) return [];
  const places = placesOf(symbols.data, section);
  return btf
    .variables(btf.section(".maps"))
    .map(({ type: id }) => ({ id, offset: places.get(btf.name(id)) ?? -1 }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ id, offset }) => {
      const name = btf.name(id);
      if (btf.linkage(id) !== GLOBAL)
        throw new CountersignError("ELF_UNSUPPORTED", `map \`${name}\` is static, which libbpf rejects`, {
          place: "section .maps",
          remedy: "remove `static` from its definition",
        });
      const definition = readDefinition(btf, btf.target(id), name);
      return { stated: definedMap(name, definition), map: objectMaps.defined(section.index, offset) ?? null };
    });
}

function definedMap(name: string, { inner, ...numbers }: MapDefinition): StatedMap {
  return {
    name,
    kind: "definition",
    ...numbers,
    autocreate: true,
    inner: inner === null ? null : definedMap(`${name}.inner`, inner),
    data: null,
  };
}

/** By section (bpf_object__init_global_data_maps). */
function globalDataMaps({ elf, btf, objectMaps }: StatementSource): Row[] {
  return elf.sections.flatMap((section) => {
    const map = objectMaps.globalData(section.index);
    // Variables of an arena are in the map of the arena.
    return map === undefined || map.type === "arena" ? [] : [dataRow(map, kindOf(section), btf)];
  });
}

function kindOf({ name, type }: ElfSection): StatedMapKind {
  if (type === ELF.SHT_NOBITS) return "bss";
  return name === ".rodata" || name.startsWith(".rodata.") ? "rodata" : "data";
}

function kconfigMap({ objectMaps, btf }: StatementSource): Row[] {
  const map = objectMaps.kconfig;
  return map.value_size === 0 ? [] : [dataRow(map, "kconfig", btf)];
}

const ARRAY = 2;
const STRUCT_OPS = 26;

function dataRow(map: CodeMap, kind: StatedMapKind, btf: Btf | null): Row {
  const stated: StatedMap = {
    ...NOTHING,
    name: map.name,
    kind,
    type: ARRAY,
    key_size: map.key_size,
    value_size: map.value_size,
    max_entries: map.max_entries,
    map_flags: map.flags,
    value_type_id: btf === null ? 0 : btf.section(map.name),
    data: kind === "rodata" && map.data !== null ? Buffer.from(map.data).toString("base64") : null,
  };
  return { stated, map };
}

/** The tables of struct_ops (bpf_object_init_struct_ops). No instruction refers to them. */
function structOpsMaps({ elf, btf, symbols }: StatementSource): Row[] {
  if (btf === null) return [];
  const sections = elf.sections.filter(({ name }) => STRUCT_OPS_SECTIONS.has(name.replace(/^\?/, "")));
  return sections.flatMap((section) => {
    const places = placesOf(symbols.data, section);
    const variables = btf
      .variables(btf.section(section.name))
      .map(({ type: id }) => ({ id, offset: places.get(btf.name(id)) ?? 0 }));
    variables.sort((a, b) => a.offset - b.offset);
    return variables.map(({ id }) => {
      const type = btf.resolve(btf.target(id));
      const stated: StatedMap = {
        ...NOTHING,
        name: btf.name(id),
        kind: "struct_ops",
        type: STRUCT_OPS,
        key_size: 4,
        value_size: btf.sizeOf(type),
        max_entries: 1,
        map_flags: section.name.endsWith(".link") ? STRUCT_OPS_LINK : 0,
        value_type_id: type,
        autocreate: !section.name.startsWith("?"),
      };
      return { stated, map: null };
    });
  });
}

const NOTHING = {
  numa_node: 0,
  map_extra: "0",
  pinning: 0,
  key_type_id: 0,
  value_type_id: 0,
  autocreate: true,
  inner: null,
  data: null,
} as const;

/** Offset of each symbol of a section, by name. */
function placesOf(symbols: StatementSource["symbols"]["data"], section: ElfSection): ReadonlyMap<string, number> {
  return new Map((symbols.get(section.index) ?? []).map(({ name, value }) => [name, value]));
}
