// Parses the instructions of a function's body (WebAssembly Core Specification 2.0, 5.4), as far as emscripten uses
// them.
import { fail, Reader } from "./wasm.mjs";

/** The number of locals of a body, the offset of its first instruction, and its instructions. */
export function bodyOf(bytes, start, end) {
  const reader = new Reader(bytes, start);
  const groups = reader.many(() => {
    const count = reader.unsigned();
    reader.skip(1);
    return count;
  });
  const locals = groups.reduce((sum, count) => sum + count, 0);
  return { locals, first: reader.at, instructions: read(reader, end) };
}

/** The locals and instructions of the function with this index. */
export function functionBody({ bytes, bodies, imported }, index) {
  const { start, size } = bodies[index - imported.length];
  return bodyOf(bytes, start, start + size);
}

/** Each instruction with its offset, the offset of the next one, and the known part of its operands. */
function* read(reader, end) {
  while (reader.at < end) {
    const at = reader.at;
    const op = reader.bytes[reader.at++];
    const operandsOf = OPERANDS.find(([first, last]) => op >= first && op <= last)?.[2];
    if (operandsOf === undefined) fail(`the instruction ${op.toString(16)} is not known`);
    const operands = operandsOf(reader, op);
    yield { at, op, next: reader.at, operands };
  }
  if (reader.at !== end) fail("a body is not read as it is");
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

/** First and last opcode of a kind (5.4), and the function that parses its operands. */
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
