import type { MapProperty, ProgramProperty } from "../../bpf/recognition.js";
import type { StatedMap, StatedProgram, StatementContent } from "../../bpf/statement.js";
import { opensMap } from "../../bpf/statement.js";

/** A program of a statement, with what it says of the object. */
export interface StatedUse {
  readonly content: StatementContent;
  readonly program: StatedProgram;
  /** The maps that the program refers to. */
  readonly maps: readonly StatedMap[];
}

/**
 * How the guard compares a property that a statement covers. A function returns the reason why the guard cannot compare
 * it for this program, or null if it can. Null instead of a function: for every program, the guard compares the
 * property; or the guard or the kernel denies a load that differs in it; or the difference changes nothing that the
 * program can do. A comment at the row says which, unless the guard compares it.
 */
type Comparison = null | ((use: StatedUse) => string | null);

/** By the properties of bpf/recognition/properties.ts. */
const PROGRAM: Readonly<Record<ProgramProperty, Comparison>> = {
  insns: null,
  type: null,
  expected_attach_type: null,
  attach_target: null,
  // The kernel uses the licence only to find out whether it is compatible (license_is_gpl_compatible)
  license: null,
  prog_flags: null,
  // Denied by the guard unless it is 0
  prog_ifindex: null,
  btf: whyTypesMatter,
  // Where functions begin is in the instructions; their types are in the BTF
  func_info: null,
  // Denied by the guard
  core_relos: null,
  // Modules are denied by the guard
  fd_array: null,
  module_btf: null,
};

const MAP: Readonly<Record<MapProperty, Comparison>> = {
  map: null,
  offset: null,
  type: null,
  key_size: null,
  value_size: null,
  max_entries: null,
  map_flags: null,
  map_extra: null,
  numa_node: ({ maps }) => {
    const map = maps.find(({ map_flags }) => (map_flags & NUMA_NODE) !== 0);
    return map === undefined ? null : `the map \`${map.name}\` is for a NUMA node, which the guard does not compare`;
  },
  // The kernel lets only programs of that device use such a map (bpf_offload_prog_map_match), and the guard denies
  // those
  ifindex: null,
  // Types of keys and values only restrict what the verifier lets the same instructions do
  btf: null,
  btf_key_type_id: null,
  btf_value_type_id: null,
  inner_map: null,
  creator: whyCreatorMatters,
  frozen: null,
  contents: ({ maps }) => {
    return maps.some(({ kind }) => kind === "kconfig")
      ? "it reads the kernel's configuration from `.kconfig`, whose contents are not known when the list is built"
      : null;
  },
};

/** BPF_F_NUMA_NODE of linux/bpf.h. */
const NUMA_NODE = 1 << 2;

/**
 * The first property of a signed program that the guard cannot compare, as a reason; null if it compares all of them.
 * With `anyMaps`, it does not matter who created the maps that programs write to.
 */
export function whyNotCovered(use: StatedUse, anyMaps: boolean): string | null {
  for (const compare of Object.values(PROGRAM)) {
    const why = compare?.(use) ?? null;
    if (why !== null) return why;
  }
  for (const [property, compare] of Object.entries(MAP)) {
    const why = property === "creator" && anyMaps ? null : (compare?.(use) ?? null);
    if (why !== null) return why;
  }
  return null;
}

/** The verifier takes types of arguments of global functions, and of objects that kfuncs allocate, from the BTF. */
function whyTypesMatter({ content, program }: StatedUse): string | null {
  const global = program.functions.slice(1).find((one) => one.global);
  if (global !== undefined)
    return `the types of its global function \`${global.name}\` are in its BTF, which the guard does not compare`;
  const { externs } = content.program.object;
  const kfunc = program.extern_references.map(({ extern }) => externs[extern]!).find(({ kind }) => kind === "kfunc");
  return kfunc === undefined
    ? null
    : `it calls the kfunc \`${kfunc.name}\`, for which its BTF matters, which the guard does not compare`;
}

function whyCreatorMatters({ content, maps }: StatedUse): string | null {
  const { rules } = content;
  const map = maps.find(
    ({ kind, name }) => kind !== "rodata" && !opensMap(rules, name, "shared") && !opensMap(rules, name, "pinned"),
  );
  return map === undefined
    ? null
    : `the guard does not compare who created the map \`${map.name}\`: ` +
        `sign it with \`--open map:${map.name}.shared\`, or build with --any-maps`;
}
