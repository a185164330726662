// A count of steps in each loop of the engine, and of what it copies at once: so that no native goes on without an end.
import { UNITS } from "./box.mjs";
import { call, fail, get, i32, load, OP, Reader, store } from "./wasm.mjs";

const left = [...i32(0), ...load(UNITS)];
const spend = (steps) => [...i32(0), ...left, ...steps, ...OP.SUB, ...store(UNITS)];
/** There is no way to throw from anywhere: the engine stops where it is, and its module is not used again. */
const stop = [...left, ...i32(0), ...OP.LESS, ...OP.IF, ...OP.UNREACHABLE, ...OP.END];
const ROUND = [...spend(i32(1)), ...stop];
/** 2 to this are the bytes that are copied in a step. */
const BYTES = 6;
/** Of a br_table that dispatches bytecode: there are more than so many. */
const BYTECODES = 150;

/** Bytecode is not counted: the linker counts a policy's own loops. */
export function countSteps({ bytes, bodies, types }, splices) {
  const type = types.findIndex((one) => one.map(String).join(">") === "127,127,127>");
  const bulk = (instruction) => {
    const body = [...spend([...get(2), ...i32(BYTES), ...OP.SHIFT]), ...stop];
    return splices.add(type, [0, ...body, ...get(0), ...get(1), ...get(2), ...instruction, ...OP.END]);
  };
  const helpers = { copy: bulk(OP.COPY), fill: bulk(OP.FILL) };
  let dispatchers = 0;
  for (const { start, size } of bodies) {
    const { loops, dispatching, bulks } = walk(bytes, start, start + size);
    if (dispatching.size > 0) dispatchers += 1;
    for (const at of loops) if (!dispatching.has(at)) splices.insert(at, ROUND);
    for (const { at, length, kind } of bulks) splices.replace(at, length, call(helpers[kind]));
  }
  if (dispatchers !== 1) fail(`${dispatchers} functions dispatch bytecode`);
}

/** Where a body's loops begin, which of them dispatch bytecode, and where it copies or fills at once. */
function walk(bytes, start, end) {
  const reader = new Reader(bytes, start);
  reader.many(() => [reader.unsigned(), reader.skip(1)]);
  const [loops, bulks, open, dispatching] = [[], [], [], new Set()];
  while (reader.at < end) {
    const at = reader.at;
    const op = bytes[reader.at++];
    const operands = OPERANDS.find(([first, last]) => op >= first && op <= last)?.[2];
    if (operands === undefined) fail(`the instruction ${op.toString(16)} is not known`);
    const found = operands(reader, op);
    if (op === 0x0b) open.pop();
    else if (found?.block) {
      open.push(op === 0x03 ? reader.at : null);
      if (op === 0x03) loops.push(reader.at);
    } else if (found?.targets > BYTECODES) for (const loop of open) dispatching.add(loop);
    else if (found?.kind) bulks.push({ at, length: reader.at - at, kind: found.kind });
  }
  if (reader.at !== end) fail("a body is not read as it is");
  dispatching.delete(null);
  return { loops, dispatching, bulks };
}

const none = () => null;
const one = (reader) => void reader.unsigned();
const two = (reader) => void [reader.unsigned(), reader.unsigned()];
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
  [0x11, 0x11, two],
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
