import { CountersignError } from "../error.js";
import type { Btf } from "./btf.js";
import type { Bytes } from "./bytes.js";
import type { CodeMap } from "./code.js";
import { MAP_TYPES } from "./tables/names.gen.js";

/** The name of an enum bpf_map_type; `unknown` for 0 (`unspec`) and for a type that is newer than the tables. */
export function mapTypeName(type: number): string {
  return (type === 0 ? undefined : MAP_TYPES[type]) ?? "unknown";
}

const EMPTY = {
  type: "unknown",
  key_size: 0,
  value_size: 0,
  max_entries: 0,
  flags: 0,
  contents: null,
  own: true,
  data: null,
  frozen: false,
  inner: null,
} as const;

/** A map of which only the name is known. */
export function unknownMap(name: string): CodeMap {
  return { ...EMPTY, name, own: false };
}

/** A map that the loader creates for global data: an array with one value. */
export function globalDataMap(name: string, size: number, flags: number, more: Partial<CodeMap>): CodeMap {
  return { ...EMPTY, name, type: "array", key_size: 4, value_size: size, max_entries: 1, flags, ...more };
}

/** `.rodata` for `tracer.rodata`: libbpf puts the object's name before the section name. */
export function globalDataName({ name, type, max_entries }: CodeMap): string {
  if (type !== "array" || max_entries !== 1) return name;
  return /\.(?:rodata|data|bss|kconfig)$/.exec(name)?.[0] ?? name;
}

type Field = "type" | "key_size" | "value_size" | "max_entries" | "flags" | "pinning" | "other";

/** Members of a `.maps` definition with a numeric value (libbpf's parse_btf_map_def). */
const NUMBERS: Readonly<Record<string, Field>> = {
  type: "type",
  key_size: "key_size",
  value_size: "value_size",
  max_entries: "max_entries",
  map_flags: "flags",
  pinning: "pinning",
  numa_node: "other",
  map_extra: "other",
};

/** Members that point to a type; the size of that type is the value. */
const TYPES: Readonly<Record<string, Field>> = { key: "key_size", value: "value_size" };

/**
 * Reads a map definition of `.maps` from the type of its variable: `__uint(name, number)` is a pointer to an array of
 * that length, `__type(name, type)` a pointer to the type, `__array(values, …)` the contents of a map of maps or
 * programs. Throws BTF_MALFORMED, and ELF_UNSUPPORTED for an unknown member.
 */
export function readBtfMap(btf: Btf, type: number, name: string, outer = false): CodeMap {
  const definition = btf.resolve(type);
  if (btf.kind(definition) !== "struct") throw malformed(name, `is a ${btf.kind(definition)}, not a struct`);
  if (btf.length(definition) > MAX_MEMBERS) throw malformed(name, `has more than ${MAX_MEMBERS} members`);
  const fields: Record<Field, number> = {
    type: 0,
    key_size: 0,
    value_size: 0,
    max_entries: 0,
    flags: 0,
    pinning: 0,
    other: 0,
  };
  let inner: CodeMap | null = null;
  for (const member of btf.members(definition)) {
    const number = NUMBERS[member.name];
    const sized = TYPES[member.name];
    if (number !== undefined) fields[number] = numberOf(btf, member.type, name, member.name);
    else if (sized !== undefined) fields[sized] = btf.sizeOf(pointee(btf, member.type, name, member.name));
    else if (member.name === "values" && !outer) {
      inner = readValues(btf, member.type, name);
      // A map of maps or of programs holds file descriptors.
      fields.value_size = 4;
    } else
      throw new CountersignError("ELF_UNSUPPORTED", `has the unknown member \`${member.name}\``, {
        place: `map ${name}`,
        remedy: "check that libbpf accepts this definition",
      });
  }
  const { pinning, other: _, ...numbers } = fields;
  const own = pinning === 0 && !outer;
  const map = { ...EMPTY, ...numbers, name, type: mapTypeName(fields.type), own, inner };
  return inner === null ? map : { ...map, ownInner: own };
}

/**
 * Reads a definition of the older `maps` section: struct bpf_map_def of libbpf before 1.0, or a longer struct in which
 * pinning follows an id (iproute2's struct bpf_elf_map, aya's bpf_map_def).
 */
export function readLegacyMap(bytes: Bytes, at: number, size: number, name: string): CodeMap {
  if (size < LEGACY_SIZE) throw malformed(name, `its definition of ${size} bytes is shorter than ${LEGACY_SIZE}`);
  const [type, key_size, value_size, max_entries, flags] = [0, 4, 8, 12, 16].map((field) => bytes.u32(at + field));
  for (let rest = at + KNOWN_SIZE; rest < at + size; rest++)
    if (bytes.u8(rest) !== 0)
      throw new CountersignError("ELF_UNSUPPORTED", `its definition of ${size} bytes has unknown fields`, {
        place: `map ${name}`,
        remedy: "define the map in section `.maps`",
      });
  const numbers = { key_size: key_size!, value_size: value_size!, max_entries: max_entries!, flags: flags! };
  const own = size < PINNING + 4 || bytes.u32(at + PINNING) === 0;
  return { ...EMPTY, ...numbers, name, type: mapTypeName(type!), own };
}

/** Maximum number of members of a definition; libbpf defines about a dozen. */
const MAX_MEMBERS = 64;
const LEGACY_SIZE = 20;
/**
 * Size of iproute2's struct bpf_elf_map (bpf_elf.h): type, size_key, size_value, max_elem, flags, id, pinning,
 * inner_id, inner_idx.
 */
const KNOWN_SIZE = 36;
const PINNING = 24;

function readValues(btf: Btf, type: number, name: string): CodeMap | null {
  const array = btf.array(btf.resolve(type));
  if (array === null) throw malformed(name, "its `values` is not an array");
  const held = pointee(btf, array.element, name, "values");
  // A program array lists functions.
  if (btf.kind(held) === "func_proto") return null;
  return readBtfMap(btf, held, `${name}.inner`, true);
}

function pointee(btf: Btf, type: number, map: string, member: string): number {
  const pointer = btf.resolve(type);
  if (btf.kind(pointer) !== "ptr") throw malformed(map, `its \`${member}\` is not a pointer`);
  return btf.resolve(btf.target(pointer));
}

function numberOf(btf: Btf, type: number, map: string, member: string): number {
  const kind = btf.kind(btf.resolve(type));
  // `__ulong(name, number)` is an enum with one enumerator.
  if (kind === "enum" || kind === "enum64") return Number(btf.enumerator(btf.resolve(type), 0)?.value ?? 0n);
  const array = btf.array(pointee(btf, type, map, member));
  if (array === null) throw malformed(map, `its \`${member}\` is not a number`);
  return array.count;
}

function malformed(map: string, message: string): CountersignError {
  return new CountersignError("BTF_MALFORMED", message, {
    place: `map ${map}`,
    remedy: "check that libbpf accepts this definition",
  });
}
