import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import type { Bytes } from "../elf/bytes.js";
import type { CodeMap } from "../model/code.js";
import { MAP_TYPES } from "../tables/names.gen.js";

/** The name of an enum bpf_map_type; `unknown` for 0 (`unspec`) and for a type that is newer than the tables. */
function mapTypeName(type: number): string {
  return (type === 0 ? undefined : MAP_TYPES[type]) ?? "unknown";
}

type Sizes = Pick<CodeMap, "key_size" | "value_size" | "max_entries" | "flags">;

/** A map without contents. Spreading a constant object instead takes V8 several times as long. */
function emptyMap(name: string, type: string, sizes: Sizes, own: boolean, inner: CodeMap | null = null): CodeMap {
  const { key_size, value_size, max_entries, flags } = sizes;
  const contents = null;
  const data = null;
  const frozen = false;
  return { name, type, key_size, value_size, max_entries, flags, contents, own, data, frozen, inner };
}

/** A map of which only the name is known. */
export function unknownMap(name: string): CodeMap {
  return emptyMap(name, "unknown", { key_size: 0, value_size: 0, max_entries: 0, flags: 0 }, false);
}

/** A map that the loader creates for global data: an array with one value. */
export function globalDataMap(name: string, size: number, flags: number, more: Partial<CodeMap>): CodeMap {
  return { ...emptyMap(name, "array", { key_size: 4, value_size: size, max_entries: 1, flags }, true), ...more };
}

/** `.rodata` for `tracer.rodata`: libbpf puts the object's name before the section name. */
export function globalDataName({ name, type, max_entries }: CodeMap): string {
  if (type !== "array" || max_entries !== 1) return name;
  return /\.(?:rodata|data|bss|kconfig)$/.exec(name)?.[0] ?? name;
}

/** What the definition of a map in section `.maps` says, in numbers of bpf_attr. */
export interface MapDefinition {
  /** enum bpf_map_type. */
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags: number;
  readonly numa_node: number;
  /** Decimal digits: 64 bits. */
  readonly map_extra: string;
  /** 0: not pinned; 1: LIBBPF_PIN_BY_NAME. */
  readonly pinning: number;
  /** Types in the object's BTF; 0 for none. */
  readonly key_type_id: number;
  readonly value_type_id: number;
  /** The map that a map of maps holds. */
  readonly inner: MapDefinition | null;
}

type Numbers = { -readonly [F in keyof MapDefinition]: MapDefinition[F] };

/** Members of a `.maps` definition with a numeric value (libbpf's parse_btf_map_def). */
const NUMBERS: Readonly<
  Record<string, "type" | "key_size" | "value_size" | "max_entries" | "map_flags" | "numa_node" | "pinning">
> = {
  type: "type",
  key_size: "key_size",
  value_size: "value_size",
  max_entries: "max_entries",
  map_flags: "map_flags",
  pinning: "pinning",
  numa_node: "numa_node",
};

/** Members that point to a type; the size of that type is the value of the first field. */
const TYPES: Readonly<
  Record<string, { readonly size: "key_size" | "value_size"; readonly id: "key_type_id" | "value_type_id" }>
> = {
  key: { size: "key_size", id: "key_type_id" },
  value: { size: "value_size", id: "value_type_id" },
};

/** Reads a map definition of `.maps` from the type of its variable. Throws as {@link readDefinition}. */
export function readBtfMap(btf: Btf, type: number, name: string): CodeMap {
  return codeMap(readDefinition(btf, type, name), name, false);
}

function codeMap(definition: MapDefinition, name: string, isInner: boolean): CodeMap {
  const { key_size, value_size, max_entries, map_flags } = definition;
  const own = definition.pinning === 0 && !isInner;
  const inner = definition.inner === null ? null : codeMap(definition.inner, `${name}.inner`, true);
  const type = mapTypeName(definition.type);
  const map = emptyMap(name, type, { key_size, value_size, max_entries, flags: map_flags }, own, inner);
  return inner === null ? map : { ...map, ownInner: own };
}

/**
 * The numbers of a map definition of `.maps`, from the type of its variable: `__uint(name, number)` is a pointer to an
 * array of that length, `__type(name, type)` a pointer to the type, `__array(values, …)` the contents of a map of maps
 * or programs. Throws BTF_MALFORMED, and ELF_UNSUPPORTED for an unknown member.
 */
export function readDefinition(btf: Btf, type: number, name: string, isInner = false): MapDefinition {
  const definition = btf.resolve(type);
  if (btf.kind(definition) !== "struct") throw malformed(name, `is a ${btf.kind(definition)}, not a struct`);
  if (btf.length(definition) > MAX_MEMBERS) throw malformed(name, `has more than ${MAX_MEMBERS} members`);
  const fields: Numbers = { ...NO_NUMBERS };
  for (const member of btf.members(definition)) {
    const number = Object.hasOwn(NUMBERS, member.name) ? NUMBERS[member.name] : undefined;
    const sized = Object.hasOwn(TYPES, member.name) ? TYPES[member.name] : undefined;
    if (number !== undefined) fields[number] = Number(numberOf(btf, member.type, name, member.name));
    else if (member.name === "map_extra") fields.map_extra = String(numberOf(btf, member.type, name, member.name));
    else if (sized !== undefined) {
      const pointer = pointerOf(btf, member.type, name, member.name);
      fields[sized.id] = btf.target(pointer);
      fields[sized.size] = btf.sizeOf(btf.resolve(btf.target(pointer)));
    } else if (member.name === "values" && !isInner) {
      fields.inner = readValues(btf, member.type, name);
      // A map of maps or of programs holds file descriptors.
      fields.value_size = 4;
    } else
      throw new CountersignError("ELF_UNSUPPORTED", `has the unknown member \`${member.name}\``, {
        place: `map ${name}`,
        remedy: "check that libbpf accepts this definition",
      });
  }
  return fields;
}

const NO_NUMBERS: MapDefinition = {
  type: 0,
  key_size: 0,
  value_size: 0,
  max_entries: 0,
  map_flags: 0,
  numa_node: 0,
  map_extra: "0",
  pinning: 0,
  key_type_id: 0,
  value_type_id: 0,
  inner: null,
};

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
  return emptyMap(name, mapTypeName(type!), numbers, own);
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

function readValues(btf: Btf, type: number, name: string): MapDefinition | null {
  const array = btf.array(btf.resolve(type));
  if (array === null) throw malformed(name, "its `values` is not an array");
  const held = btf.resolve(btf.target(pointerOf(btf, array.element, name, "values")));
  // A program array lists functions.
  if (btf.kind(held) === "func_proto") return null;
  return readDefinition(btf, held, `${name}.inner`, true);
}

function pointerOf(btf: Btf, type: number, map: string, member: string): number {
  const pointer = btf.resolve(type);
  if (btf.kind(pointer) !== "ptr") throw malformed(map, `its \`${member}\` is not a pointer`);
  return pointer;
}

function numberOf(btf: Btf, type: number, map: string, member: string): bigint {
  const kind = btf.kind(btf.resolve(type));
  // `__ulong(name, number)` is an enum with one enumerator.
  if (kind === "enum" || kind === "enum64") return btf.enumerator(btf.resolve(type), 0)?.value ?? 0n;
  const array = btf.array(btf.resolve(btf.target(pointerOf(btf, type, map, member))));
  if (array === null) throw malformed(map, `its \`${member}\` is not a number`);
  return BigInt(array.count);
}

function malformed(map: string, message: string): CountersignError {
  return new CountersignError("BTF_MALFORMED", message, {
    place: `map ${map}`,
    remedy: "check that libbpf accepts this definition",
  });
}
