// Finds a function of one build in another build, where functions have other indexes and no names.
import { functionBody } from "./instructions.mjs";
import { digestOf } from "./tables.mjs";
import { signatureOf } from "./wasm.mjs";

/** Number of functions that are reported. */
const NAMED = 3;

/** The functions of `other` that are most similar to function `index` of `wasm`, best match first. */
export function candidates(wasm, index, other) {
  const wanted = profile(wasm, index);
  return other.bodies
    .map((_, at) => at + other.imported.length)
    .filter((at) => signatureOf(other, at) === signatureOf(wasm, index))
    .map((at) => ({ index: at, body: digestOf(other, at), likeness: likeness(wanted, profile(other, at)) }))
    .sort((a, b) => b.likeness - a.likeness)
    .slice(0, NAMED);
}

/** How often each sequence of three opcodes occurs in a function. Operands differ between builds and are ignored. */
function profile(wasm, index) {
  const opcodes = Array.from(functionBody(wasm, index).instructions, ({ op }) => op);
  const counts = new Map();
  for (let at = 0; at + 3 <= opcodes.length; at++) {
    const key = opcodes.slice(at, at + 3).join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Similarity of two profiles: 0 means nothing in common, 1 means equal. */
function likeness(one, other) {
  let [shared, all] = [0, 0];
  for (const key of new Set([...one.keys(), ...other.keys()])) {
    const [a, b] = [one.get(key) ?? 0, other.get(key) ?? 0];
    shared += Math.min(a, b);
    all += Math.max(a, b);
  }
  return all === 0 ? 1 : shared / all;
}
