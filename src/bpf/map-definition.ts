import { CountersignError } from "../error.js";
import type { Btf } from "./btf.js";
import type { Bytes } from "./bytes.js";
import type { CodeMap } from "./code.js";
import { MAP_TYPES } from "./tables/names.gen.js";

/** The name of an enum bpf_map_type; `unknown` for one that is newer than the tables, and for `unspec`. */
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

/** A map of which nothing but its name is known. */
export function unknownMap(name: string): CodeMap {
  return { ...EMPTY, name, own: false };
}

/** A map of the loader's own: a plain array of one value. */
export function globalDataMap(name: string, size: number, flags: number, more: Partial<CodeMap>): CodeMap {
  return { ...EMPTY, name, type: "array", key_size: 4, value_size: size, max_entries: 1, flags, ...more };
}

/** `.rodata` for `tracer.rodata`: libbpf puts the object's name before what it makes of a section. */
export function globalDataName({ name, type, max_entries }: CodeMap): string {
  if (type !== "array" || max_entries !== 1) return name;
  return /\.(?:rodata|data|bss|kconfig)$/.exec(name)?.[0] ?? name;
}

type Field = "type" | "key_size" | "value_size" | "max_entries" | "flags" | "pinning" | "other";

/** Members of a `.maps` definition that hold a number (libbpf's parse_btf_map_def). */
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

/** Members that hold a pointer to a type whose size is meant. */
const TYPES: Readonly<Record<string, Field>> = { key: "key_size", value: "value_size" };

/**
 * A map as the type of its variable in `.maps` describes it: `__uint(name, number)` is a pointer to an array of that
 * many, `__type(name, type)` a pointer to it, `__array(values, …)` what a map of maps holds. Throws BTF_MALFORMED,
 * ELF_UNSUPPORTED for a member that is not known.
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
      // what a map of maps or programs holds is a file descriptor
      fields.value_size = 4;
    } else
      throw new CountersignError("ELF_UNSUPPORTED", `has a member \`${member.name}\` that is not known`, {
        place: `map ${name}`,
        remedy: "check that the definition is one that libbpf takes",
      });
  }
  const { pinning, other: _, ...numbers } = fields;
  const own = pinning === 0 && !outer;
  const map = { ...EMPTY, ...numbers, name, type: mapTypeName(fields.type), own, inner };
  return inner === null ? map : { ...map, ownInner: own };
}

/**
 * A map of the older `maps` section: struct bpf_map_def of libbpf before 1.0, or a longer one whose pinning stands
 * behind an id (iproute2's struct bpf_elf_map, aya's bpf_map_def).
 */
export function readLegacyMap(bytes: Bytes, at: number, size: number, name: string): CodeMap {
  if (size < LEGACY_SIZE) throw malformed(name, `its definition of ${size} bytes is shorter than ${LEGACY_SIZE}`);
  const [type, key_size, value_size, max_entries, flags] = [0, 4, 8, 12, 16].map((field) => bytes.u32(at + field));
  for (let rest = at + KNOWN_SIZE; rest < at + size; rest++)
    if (bytes.u8(rest) !== 0)
      throw new CountersignError("ELF_UNSUPPORTED", `its definition of ${size} bytes has more than is known`, {
        place: `map ${name}`,
        remedy: "define the map in section `.maps`",
      });
  const numbers = { key_size: key_size!, value_size: value_size!, max_entries: max_entries!, flags: flags! };
  const own = size < PINNING + 4 || bytes.u32(at + PINNING) === 0;
  return { ...EMPTY, ...numbers, name, type: mapTypeName(type!), own };
}

/** libbpf knows a dozen. */
const MAX_MEMBERS = 64;
const LEGACY_SIZE = 20;
/** type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx (iproute2's include/bpf_elf.h) */
const KNOWN_SIZE = 36;
const PINNING = 24;

function readValues(btf: Btf, type: number, name: string): CodeMap | null {
  const array = btf.array(btf.resolve(type));
  if (array === null) throw malformed(name, "its `values` are no array");
  const held = pointee(btf, array.element, name, "values");
  // a program array lists functions
  if (btf.kind(held) === "func_proto") return null;
  return readBtfMap(btf, held, `${name}.inner`, true);
}

function pointee(btf: Btf, type: number, map: string, member: string): number {
  const pointer = btf.resolve(type);
  if (btf.kind(pointer) !== "ptr") throw malformed(map, `its \`${member}\` is no pointer`);
  return btf.resolve(btf.target(pointer));
}

function numberOf(btf: Btf, type: number, map: string, member: string): number {
  const kind = btf.kind(btf.resolve(type));
  // __ulong(name, number): an enum of one enumerator
  if (kind === "enum" || kind === "enum64") return Number(btf.enumerator(btf.resolve(type), 0)?.value ?? 0n);
  const array = btf.array(pointee(btf, type, map, member));
  if (array === null) throw malformed(map, `its \`${member}\` is no number`);
  return array.count;
}

function malformed(map: string, message: string): CountersignError {
  return new CountersignError("BTF_MALFORMED", message, {
    place: `map ${map}`,
    remedy: "check that the definition is one that libbpf takes",
  });
}
