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
/** `.rodata` of an object that an executable embeds. */
export const EMBEDDED_DATA = "global data inside of a program has a name that its loader chooses";
export const STRUCT_OPS = "the kernel's structure says how large a value of a struct_ops map is";
export const SIZED_BY_LOADER = "the loader or libbpf chooses the number of entries";

export const NAMES_NO_TARGET = "null unless the program is of type tracing, lsm or struct_ops";

/** What a scan cannot have. */
export const NOT_KEPT = {
  unknown: "since the kernel keeps only the instructions that its verifier made of them",
} as const;
export const NOT_REPORTED = { unknown: "since the kernel does not report it" } as const;

/** What a description of a program does not say of its code. */
export const ASSEMBLED = differs("the program is assembled to have the described facts");

/** The instructions that are loaded and what is computed from them. A description has only what it says they do. */
export const OF_CODE = known({
  offline: differs(FILLED_IN, MODULE_FD),
  described: ASSEMBLED,
  scan: NOT_KEPT,
});
export const OF_EFFECTS = known({
  offline: differs(FILLED_IN, AS_DECLARED, PINNED),
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
/** What depends on how large a map is. */
export const OF_SIZE = known({ offline: differs(STRUCT_OPS, SIZED_BY_LOADER) });
export const OF_ENTRIES = known({ offline: differs(SIZED_BY_LOADER) });
