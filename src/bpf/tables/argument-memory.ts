import type { ArgumentMemory } from "./argument-access.js";
import { HELPER_MEMORY_ROWS } from "./helper-memory.js";
import { KFUNC_MEMORY_ROWS } from "./kfunc-memory.js";

export type { ArgumentMemory, Extent } from "./argument-access.js";

/** By name of the helper without `bpf_`. */
export const HELPER_MEMORY: ReadonlyMap<string, readonly ArgumentMemory[]> = new Map(HELPER_MEMORY_ROWS);
/** By name of the kfunc. */
export const KFUNC_MEMORY: ReadonlyMap<string, readonly ArgumentMemory[]> = new Map(KFUNC_MEMORY_ROWS);
