/**
 * What a statement covers, by the name that a mismatch has. The properties of a map follow its name and a dot:
 * `events.max_entries`.
 */
export const PROGRAM_PROPERTIES = {
  insns: "the instructions, relocated for the running kernel",
  type: "the program type",
  expected_attach_type: "the expected attach type",
  attach_target: "the function, iterator, hook or program that the load names as target",
  license: "the license",
  prog_flags: "the flags of the load",
  prog_ifindex: "the network device: none",
  btf: "the program's BTF, as libbpf makes it from the object's",
  func_info: "the functions that the BTF describes",
  core_relos: "relocations that the kernel applies, and the instructions before them",
  fd_array: "the BTF of modules whose functions the program calls, and nothing else",
  module_btf: "the BTF of modules whose variables the program reads",
} as const;

export const MAP_PROPERTIES = {
  map: "which map each instruction refers to: one for each map of the object, the same in all programs of the object",
  offset: "the offset of each instruction into the map's value",
  type: "the map type",
  key_size: "the size of a key, unless the object leaves it open",
  value_size: "the size of a value, unless the object leaves it open",
  max_entries: "the number of entries, unless the object leaves it open",
  map_flags: "the flags of the map",
  map_extra: "map_extra",
  numa_node: "the NUMA node of a map that has one",
  ifindex: "the network device of the map: none",
  btf: "the map's BTF",
  btf_key_type_id: "the type of a key",
  btf_value_type_id: "the type of a value",
  inner_map: "the map that a map of maps holds",
  creator: "that the process that loads the program created the map through the gate",
  frozen: "that user space can no longer write to the map",
  contents: "read-only data, apart from settings",
} as const;

export type ProgramProperty = keyof typeof PROGRAM_PROPERTIES;
export type MapProperty = keyof typeof MAP_PROPERTIES;

/** The first covered property in which a load differs from a statement. */
export interface Difference {
  readonly property: string;
  readonly expected: string;
  readonly found: string;
}

/** Thrown where a load differs from a statement; it never leaves this folder. */
export class Differs extends Error {
  constructor(readonly difference: Difference) {
    super(`${difference.property}: expected ${difference.expected}, found ${difference.found}`);
  }
}

export function requireEqual(property: ProgramProperty, expected: number | string, found: number | string): void {
  if (expected !== found) differ(property, String(expected), String(found));
}

export function differ(property: ProgramProperty, expected: string, found: string): never {
  throw new Differs({ property, expected, found });
}

export function differInMap(map: string, property: MapProperty, expected: string, found: string): never {
  throw new Differs({ property: `${map}.${property}`, expected, found });
}
