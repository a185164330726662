import type { Code } from "../model/code.js";
import type { Scratch } from "./values/scratch.js";

/**
 * The slots of a program with CO-RE relocations, whose immediates and offsets are not known before the load: 1 for each
 * of them, by slot. Null if there are none.
 */
export function rewrittenSlots(code: Code, scratch: Scratch): Int32Array | null {
  const slots = code.rewrittenSlots();
  if (slots.length === 0) return null;
  const { count } = code.insns;
  const rewritten = scratch.take(count);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index]!;
    if (slot < count) rewritten[slot] = 1;
  }
  return rewritten;
}
