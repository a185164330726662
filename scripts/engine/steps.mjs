// A count of steps in each loop of the engine, and of what it copies at once: so that no native goes on without an end.
import { BUILT_IN, COPIED_LOG2, pay, ROUND, UNITS } from "./box.mjs";
import { chainRound, leaveFree } from "./tables.mjs";
import { call, fail, get, I32, i32, load, OP, Reader } from "./wasm.mjs";

/** There is no way to throw from anywhere: the engine stops where it is, and its module is not used again. */
const stop = [...i32(0), ...load(UNITS), ...i32(0), ...OP.LESS, ...OP.IF, ...OP.UNREACHABLE, ...OP.END];
const round = [...pay(i32(ROUND)), ...stop];
const builtIn = [...pay(i32(BUILT_IN)), ...stop];
/** Of a br_table that dispatches bytecode: there are more than so many. */
const BYTECODES = 150;

/** How the link to the next property in a chain of an object's own hash table is read: 26 bits of a word. */
const HASH_NEXT = Buffer.from([...i32(2 ** 26 - 1), ...OP.AND]);

/**
 * Bytecode is not counted: the linker counts a policy's own loops. Nor are the allocator's loops, whose rounds depend on what lies
 * in the heap from earlier decisions: a block has one weight. `tables` are functions whose loops depend on earlier decisions, too.
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
  // calls of built-in functions, which have functions of doubles among them
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
      // two more locals, behind the parameters and all others
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

/** How many locals a body has, where its instructions and its loops begin, with the blocks around each loop, which types it calls by the table, which of them dispatch bytecode, and where it copies or fills at once. */
function walk(bytes, start, end) {
  const reader = new Reader(bytes, start);
  const groups = reader.many(() => {
    const count = reader.unsigned();
    reader.skip(1);
    return count;
  });
  const locals = groups.reduce((sum, count) => sum + count, 0);
  const first = reader.at;
  const [loops, returns, bulks, open, dispatching, indirect] = [[], [], [], [], new Set(), new Set()];
  while (reader.at < end) {
    const at = reader.at;
    const op = bytes[reader.at++];
    const operands = OPERANDS.find(([first, last]) => op >= first && op <= last)?.[2];
    if (operands === undefined) fail(`the instruction ${op.toString(16)} is not known`);
    const found = operands(reader, op);
    if (op === 0x0b) {
      const block = open.pop();
      if (block !== undefined) block.end = reader.at;
    } else if (op === 0x0f) returns.push(at);
    else if (found?.block) {
      const block = { start: at, end: 0, loop: op === 0x03 ? reader.at : null };
      if (op === 0x03) loops.push({ at: reader.at, block, around: [...open] });
      open.push(block);
    } else if (found?.targets > BYTECODES) for (const { loop } of open) dispatching.add(loop);
    else if (found?.type !== undefined) indirect.add(found.type);
    else if (found?.kind) bulks.push({ at, length: reader.at - at, kind: found.kind });
  }
  if (reader.at !== end) fail("a body is not read as it is");
  dispatching.delete(null);
  return { first, locals, loops, returns, dispatching, bulks, indirect };
}

const none = () => null;
const one = (reader) => void reader.unsigned();
const two = (reader) => void [reader.unsigned(), reader.unsigned()];
const indirectly = (reader) => {
  const type = reader.unsigned();
  reader.unsigned();
  return { type };
};
const block = (reader) => {
  const type = reader.bytes[reader.at];
  if (type === 0x40 || (type >= 0x6f && type <= 0x7f)) reader.skip(1);
  else reader.unsigned();
  return { block: true };
};
const table = (reader) => {
  const targets = reader.many(() => reader.unsigned()).length;
  reader.unsigned();
  return { targets };
};
const prefixed = (reader) => {
  const which = reader.unsigned();
  if (which < 8) return null;
  if (which !== 10 && which !== 11) fail(`the instruction fc ${which} is not known`);
  reader.skip(which === 10 ? 2 : 1);
  return { kind: which === 10 ? "copy" : "fill" };
};

/** First and last instruction of a kind (5.4), and what reads what stands behind it. */
const OPERANDS = [
  [0x00, 0x01, none],
  [0x02, 0x04, block],
  [0x05, 0x05, none],
  [0x0b, 0x0b, none],
  [0x0c, 0x0d, one],
  [0x0e, 0x0e, table],
  [0x0f, 0x0f, none],
  [0x10, 0x10, one],
  [0x11, 0x11, indirectly],
  [0x1a, 0x1b, none],
  [0x20, 0x24, one],
  [0x28, 0x3e, two],
  [0x3f, 0x40, one],
  [0x41, 0x42, one],
  [0x43, 0x43, (reader) => void reader.skip(4)],
  [0x44, 0x44, (reader) => void reader.skip(8)],
  [0x45, 0xc4, none],
  [0xfc, 0xfc, prefixed],
];
