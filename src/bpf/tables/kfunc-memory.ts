import type { ArgumentMemory } from "./argument-access.js";

/** By name of the kfunc. */
export const KFUNC_MEMORY_ROWS: readonly (readonly [name: string, memory: readonly ArgumentMemory[]])[] = [];
