import type { ArgumentMemory } from "./argument-memory.js";

/** By name of the kfunc. */
export const KFUNC_MEMORY_ROWS: readonly (readonly [name: string, memory: readonly ArgumentMemory[]])[] = [];
