import { differs, known } from "../../known-fact.js";

/**
 * Why a fact that is read from an object file can differ from that of a load of it, as clauses. The questions about a
 * file (engine/files/load-questions.ts) say which of them hold for a program or a map.
 */

export const FILLED_IN = "libbpf resolves CO-RE relocations, kernel symbols and kfuncs at the load";
/** After relocation by `--btf`. */
export const MODULE_FD = "an instruction has the fd of a kernel module's BTF at the load";
export const AS_DECLARED = "a load does not pass all types that the object declares";
export const PINNED = "a pinned map can be another's, or the object's own";
export const LONG_NAME = "a load passes only the first 15 bytes of a name";
export const SETTINGS = "a loader can choose other settings";
export const REPORTED = "the kernel reports it after the load";

/** The reasons that are about maps. `embedded` is `.rodata` of an object that an executable embeds. */
export const MAP_DIFFERENCES = {
  embedded: "global data inside of a program has a name that its loader chooses",
  structOps: "the kernel's structure says how large a value of a struct_ops map is",
  sizedByLoader: "the loader or libbpf chooses the number of entries",
} as const;

/**
 * Why a fact of a program of a seal's list can differ from that of a load that the guard allows. seal/build asks which
 * of them hold for a program.
 */
export const LOADER_CHOICES = {
  variables: "the loader chooses values of variables",
  sizes: "the loader chooses sizes of maps",
  innerMaps: "the loader chooses the maps in a map of maps",
} as const;

export const NAMES_NO_TARGET = "null unless the program is of type tracing, lsm or struct_ops";

/** What a scan cannot have. */
export const NOT_KEPT = {
  unknown: "since the kernel keeps only the instructions that its verifier made of them",
} as const;
export const NOT_REPORTED = { unknown: "since the kernel does not report it" } as const;

const NOT_HASHED = {
  unknown: "unless the kernel keeps the SHA-256 of what was loaded, and its memory is read",
} as const;

/** What a description of a program does not say of its code. */
export const ASSEMBLED = differs("the program is assembled to have the described facts");

/** The instructions that are loaded and what is computed from them. A description has only what it says they do. */
export const OF_CODE = known({
  offline: differs(FILLED_IN, MODULE_FD),
  described: ASSEMBLED,
  scan: NOT_KEPT,
});
export const OF_DIGEST = { ...OF_CODE, scan: NOT_HASHED };
export const OF_EFFECTS = known({
  offline: differs(FILLED_IN, AS_DECLARED, PINNED),
  sealed: differs(LOADER_CHOICES.variables, LOADER_CHOICES.innerMaps),
  scan: differs("only a superset is known of translated instructions"),
});
/** What the loader says at the load, and the kernel does not keep. */
export const OF_LOADER = known({ offline: "null", sealed: differs("the loader chooses it"), scan: NOT_REPORTED });
/** The object file, and what only it says. */
export const OF_FILE = known({ gate: "null", sealed: "null", scan: "null" });
/** What the kernel reports about the program, at hook `bpf_prog` of a gate. */
export const OF_LOAD = known({ offline: "null", sealed: differs("the kernel's report comes after the verdict") });
/** What is said by statements. */
export const OF_STATEMENTS = known({
  offline: differs(SETTINGS),
  sealed: differs("the guard does not compare with statements"),
  scan: NOT_KEPT,
});
/** The memory of a map. */
export const OF_MEMORY = known({
  offline: differs(MAP_DIFFERENCES.structOps, MAP_DIFFERENCES.sizedByLoader),
  sealed: differs(LOADER_CHOICES.sizes, LOADER_CHOICES.innerMaps),
});
/** The sizes of a map. A loader chooses those that the object has as 0. */
export const OF_KEYS = known({ sealed: differs(LOADER_CHOICES.sizes) });
export const OF_VALUES = known({ offline: differs(MAP_DIFFERENCES.structOps), sealed: differs(LOADER_CHOICES.sizes) });
export const OF_ENTRIES = known({
  offline: differs(MAP_DIFFERENCES.sizedByLoader),
  sealed: differs(LOADER_CHOICES.sizes),
});
