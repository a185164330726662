// Access of the patched engine to the box of the running runtime. src/sandbox/slots.ts describes the box.
import { readFileSync } from "node:fs";
import { fail, get, i32, load, OP, store } from "./wasm.mjs";

/** Constants are read from src/sandbox/slots.ts, memory.ts and weights.ts. */
const slots = readFileSync(new URL("../../src/sandbox/slots.ts", import.meta.url), "utf8");
const constant = (name, text = slots) => {
  const [, value] = new RegExp(`export const ${name} = (\\d+);`).exec(text) ?? fail(`no constant ${name}`);
  return Number(value);
};
const memory = readFileSync(new URL("../../src/sandbox/memory.ts", import.meta.url), "utf8");
export const [BOX, UNITS] = [constant("BOX", memory), constant("UNITS", memory)];
const weights = readFileSync(new URL("../../src/sandbox/weights.ts", import.meta.url), "utf8");
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

/** Instructions for the address of the running runtime's box, and for reading and writing a word of it. */
export const BOX_NOW = [...i32(0), ...load(BOX)];
export const at = (slot, box = BOX_NOW) => [...box, ...load(4 * slot)];
export const put = (slot, value, box = BOX_NOW) => [...box, ...value, ...store(4 * slot)];
/** Records which resource the running runtime has used up. */
export const mark = (what, box) => put(RAN_OUT, i32(what), box);
/** Subtracts units (an operand on the stack) from those that the decision has left. */
export const pay = (units) => [...i32(0), ...i32(0), ...load(UNITS), ...units, ...OP.SUB, ...store(UNITS)];
/** Size in bytes of a block: the word before it without the three flag bits (dlmalloc). */
export const block = (local) => [...get(local), ...i32(4), ...OP.SUB, ...load(0), ...i32(-8), ...OP.AND];
export const spend = (bytes, box) => put(BUDGET, [...at(BUDGET, box), ...bytes, ...OP.SUB], box);
export const budget = (box) => [...at(BUDGET, box), ...OP.LONG_SIGNED];
export const refuse = (box) => [...OP.IF, ...mark(MEMORY, box), ...i32(0), ...OP.RETURN, ...OP.END];
