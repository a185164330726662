// Counts steps in each loop of the engine and for each bulk copy, so that no built-in function runs without limit.
import { BUILT_IN, COPIED_LOG2, pay, ROUND, UNITS } from "./buffer.mjs";
import { bodyOf } from "./instructions.mjs";
import { chainRound, leaveFree } from "./tables.mjs";
import { call, fail, get, I32, i32, load, OP } from "./wasm.mjs";

/** Stops the engine with a trap, since code cannot throw at every place. The module is not used again. */
const stop = [...i32(0), ...load(UNITS), ...i32(0), ...OP.LESS, ...OP.IF, ...OP.UNREACHABLE, ...OP.END];
const round = [...pay(i32(ROUND)), ...stop];
const builtIn = [...pay(i32(BUILT_IN)), ...stop];
/** A br_table with more targets than this dispatches bytecode. */
const BYTECODES = 150;

/** The instructions that read the link to the next property in a chain of an object's hash table: 26 bits of a word. */
const HASH_NEXT = Buffer.from([...i32(2 ** 26 - 1), ...OP.AND]);

/**
 * Adds a step count to every loop except: loops that run bytecode, because the linker counts a policy's own loops; and
 * loops of the allocator, whose rounds depend on what earlier decisions left in the heap, so that each block has a
 * fixed weight instead. Loops of the functions in `tables` also depend on earlier decisions and are counted
 * differently.
 */
export function countSteps({ bytes, bodies, types, imported, functions }, edits, allocator, tables) {
  const type = types.findIndex((one) => one.map(String).join(">") === "127,127,127>");
  const bulk = (instruction) => {
    const body = [...pay([...get(2), ...i32(COPIED_LOG2), ...OP.SHIFT]), ...stop];
    return edits.add(type, [0, ...body, ...get(0), ...get(1), ...get(2), ...instruction, ...OP.END]);
  };
  const helpers = { copy: bulk(OP.COPY), fill: bulk(OP.FILL) };
  let dispatchers = 0;
  let callers = 0;
  // Functions that call built-in functions; among these are functions of doubles.
  const walksProperties = ({ at, block }, loops) =>
    bytes.subarray(at, block.end).includes(HASH_NEXT) && !loops.some((other) => other.at > at && other.at < block.end);
  const doubles = ["124>124", "124,124>124"].map((shape) =>
    types.findIndex((one) => one.map(String).join(">") === shape),
  );
  for (const [index, { start, size }] of bodies.entries()) {
    const { first, locals, loops, returns, dispatching, bulks, indirect } = walk(bytes, start, start + size);
    if (dispatching.size > 0) dispatchers += 1;
    else if (doubles.every((one) => indirect.has(one))) {
      callers += 1;
      edits.insert(first, builtIn);
    }
    if (allocator.has(index + imported.length)) continue;
    const { growth = [], around = 0, chains = [] } = tables.get(index + imported.length) ?? {};
    const chained = loops.flatMap((loop, number) =>
      chains.includes(number) || walksProperties(loop, loops) ? [loop] : [],
    );
    if (growth.length > 0 || chained.length > 0) {
      // Two more locals, after the parameters and all other locals.
      const local = types[functions[index + imported.length]][0].length + locals;
      edits.replace(start, 1, [bytes[start] + 1]);
      edits.insert(first, [2, I32]);
      if (growth.length > 0) leaveFree(edits, loops[growth[0]].around.at(-around), returns, local);
      for (const { at } of chained) edits.insert(at, chainRound(local + 1, stop));
    }
    for (const [number, loop] of loops.entries())
      if (!dispatching.has(loop.at) && !growth.includes(number) && !chained.includes(loop))
        edits.insert(loop.at, round);
    for (const { at, length, kind } of bulks) edits.replace(at, length, call(helpers[kind]));
  }
  if (dispatchers !== 1) fail(`${dispatchers} functions dispatch bytecode`);
  if (callers !== 1) fail(`${callers} functions call built-in functions`);
}

/**
 * Scans a body: the places where its instructions and loops begin, the blocks around each loop, the types that it calls
 * through the table, the loops that dispatch bytecode, and bulk copies and fills.
 */
function walk(bytes, start, end) {
  const { locals, first, instructions } = bodyOf(bytes, start, end);
  const [loops, returns, bulks, open, dispatching, indirect] = [[], [], [], [], new Set(), new Set()];
  for (const { at, op, next, operands } of instructions) {
    if (op === 0x0b) {
      const block = open.pop();
      if (block !== undefined) block.end = next;
    } else if (op === 0x0f) returns.push(at);
    else if (operands?.block) {
      const block = { start: at, end: 0, loop: op === 0x03 ? next : null };
      if (op === 0x03) loops.push({ at: next, block, around: [...open] });
      open.push(block);
    } else if (operands?.targets > BYTECODES) for (const { loop } of open) dispatching.add(loop);
    else if (operands?.type !== undefined) indirect.add(operands.type);
    else if (operands?.kind) bulks.push({ at, length: next - at, kind: operands.kind });
  }
  dispatching.delete(null);
  return { first, locals, loops, returns, dispatching, bulks, indirect };
}
