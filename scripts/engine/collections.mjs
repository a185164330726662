// Makes garbage collection depend on the budget of the decision.
import { at, BUDGET, COLLECT, FLOOR, LITTER, put, spend } from "./buffer.mjs";
import { fail, i32, OP } from "./wasm.mjs";

/**
 * Starts a collection depending on the part of its budget that the decision has used; the engine's own trigger counts
 * all allocations since the runtime began. Memory of garbage from earlier decisions is not credited to this decision.
 */
export function countCollections({ bytes, bodies }, edits) {
  // The trigger is `if (allocated > threshold) { collect; threshold = 1.5 * allocated }`: the offset of the threshold
  // occurs twice.
  const trigger =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: instructions, not text
    /\x28\x02([\x80-\xff]?[\x00-\x7f])\x4b(\x04\x40[\s\S]{1,60}?\x41\x01\x76\x20[\s\S]\x6a\x36\x02\1)\x0b/g;
  let found = 0;
  for (const { start, size } of bodies) {
    for (const { 0: text, 1: threshold, index } of bytes
      .subarray(start, start + size)
      .toString("latin1")
      .matchAll(trigger)) {
      found += 1;
      const below = [...at(BUDGET), ...at(COLLECT), ...OP.LESS];
      edits.insert(start + index + 2 + threshold.length + 1, [...OP.DROP, ...below]);
      const lowered = [
        ...at(BUDGET),
        ...OP.HALF,
        ...i32(-(2 ** 31)),
        ...at(BUDGET),
        ...at(FLOOR),
        ...OP.MORE,
        ...OP.SELECT,
      ];
      const settled = [...spend(at(LITTER)), ...put(LITTER, i32(0)), ...put(COLLECT, lowered)];
      edits.insert(start + index + text.length - 1, settled);
    }
  }
  if (found !== 1) fail(`garbage is collected in ${found} places`);
}
