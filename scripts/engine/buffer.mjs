// Access of the patched engine to the shared buffer of the running runtime, which src/sandbox/shared/buffer-layout.ts
// describes.
import { readFileSync } from "node:fs";
import { fail, get, i32, load, OP, store } from "./wasm.mjs";

/** Constants are read from src/sandbox: shared/buffer-layout.ts, quickjs/memory.ts and subjects/weights.ts. */
const bufferLayout = readFileSync(new URL("../../src/sandbox/shared/buffer-layout.ts", import.meta.url), "utf8");
const constant = (name, text = bufferLayout) => {
  const [, value] = new RegExp(`export const ${name} = (\\d+);`).exec(text) ?? fail(`no constant ${name}`);
  return Number(value);
};
const memory = readFileSync(new URL("../../src/sandbox/quickjs/memory.ts", import.meta.url), "utf8");
export const [BUFFER_POINTER, UNITS] = [constant("BUFFER_POINTER", memory), constant("UNITS", memory)];
const weights = readFileSync(new URL("../../src/sandbox/subjects/weights.ts", import.meta.url), "utf8");
export const [ROUND, COPIED_LOG2, BUILT_IN, BLOCK, CHAIN_FREE] = [
  "ROUND",
  "COPIED_LOG2",
  "BUILT_IN",
  "BLOCK",
  "CHAIN_FREE",
].map((name) => constant(name, weights));
export const [BUDGET, COLLECT, FLOOR, LITTER, RAN_OUT, MEMORY, STACK] = [
  "BUDGET",
  "COLLECT",
  "FLOOR",
  "LITTER",
  "RAN_OUT",
  "MEMORY",
  "STACK",
].map((name) => constant(name));

/** Instructions for the address of the running runtime's shared buffer, and for reading and writing a word of it. */
export const CURRENT_BUFFER = [...i32(0), ...load(BUFFER_POINTER)];
export const at = (slot, buffer = CURRENT_BUFFER) => [...buffer, ...load(4 * slot)];
export const put = (slot, value, buffer = CURRENT_BUFFER) => [...buffer, ...value, ...store(4 * slot)];
/** Records which resource the running runtime has used up. */
export const mark = (what, buffer) => put(RAN_OUT, i32(what), buffer);
/** Subtracts units (an operand on the stack) from those that the decision has left. */
export const pay = (units) => [...i32(0), ...i32(0), ...load(UNITS), ...units, ...OP.SUB, ...store(UNITS)];
/** Size in bytes of a block: the word before it without the three flag bits (dlmalloc). */
export const block = (local) => [...get(local), ...i32(4), ...OP.SUB, ...load(0), ...i32(-8), ...OP.AND];
export const spend = (bytes, buffer) => put(BUDGET, [...at(BUDGET, buffer), ...bytes, ...OP.SUB], buffer);
export const budget = (buffer) => [...at(BUDGET, buffer), ...OP.LONG_SIGNED];
export const refuse = (buffer) => [...OP.IF, ...mark(MEMORY, buffer), ...i32(0), ...OP.RETURN, ...OP.END];
