// Limits the memory of a runtime: wraps the engine's allocator and counts each block.
import {
  BLOCK,
  BUDGET,
  block,
  budget,
  COPIED_LOG2,
  CURRENT_BUFFER,
  MEMORY,
  mark,
  pay,
  refuse,
  spend,
  UNITS,
} from "./buffer.mjs";
import { call, fail, get, i32, load, OP, set, signatureOf, store, tee, unsigned } from "./wasm.mjs";

/** Replaces the allocator's functions in the table by wrappers that call them. */
export function wrapAllocator(wasm, edits, loader) {
  for (const [name, { offset, index, length }] of entries(wasm, loader))
    edits.replace(offset, length, unsigned(edits.add(wasm.functions[index], WRAPPERS[name](index))));
}

/** Indexes of the allocator's functions: those in the table, malloc and free, and functions that only these call. */
export function heapFunctions(wasm, loader) {
  const { bytes, imported, bodies } = wasm;
  const heap = new Set([...entries(wasm, loader).map(([, { index }]) => index), ...exported(wasm, loader)]);
  const callers = (callee) =>
    bodies.flatMap(({ start, size }, index) =>
      bytes.subarray(start, start + size).includes(Buffer.from(call(callee))) ? [index + imported.length] : [],
    );
  for (const index of [...heap])
    for (const callee of calledBy(wasm, index))
      if (callers(callee).every((caller) => heap.has(caller))) heap.add(callee);
  return heap;
}

function calledBy({ bytes, imported, bodies }, index) {
  const { start, size } = bodies[index - imported.length];
  const body = bytes.subarray(start, start + size);
  return bodies.map((_, at) => at + imported.length).filter((callee) => body.includes(Buffer.from(call(callee))));
}

function exported({ exports }, loader) {
  return ["malloc", "free"].map(
    (name) =>
      exports.get(new RegExp(`_${name}=\\w+\\.([\\w$]+)[;,)]`).exec(loader)?.[1]) ??
      fail(`the loader has no \`_${name}\` of a known form`),
  );
}

/** The allocator's functions in the table, by name. */
function entries(wasm, loader) {
  const { bytes, imported, elements, bodies } = wasm;
  const [malloc, free] = exported(wasm, loader);
  const bodyOf = (index) => {
    const { start, size } = bodies[index - imported.length] ?? { start: 0, size: 0 };
    return bytes.subarray(start, start + size);
  };
  const shape = (index) => signatureOf(wasm, index);
  const calls = (index, callee) => bodyOf(index).includes(Buffer.from(call(callee)));
  // malloc, free and realloc are consecutive, as in JSMallocFunctions; in quickjs-ng calloc precedes them.
  const at = elements.findIndex(
    ({ index }, here) =>
      shape(index) === SHAPES.malloc &&
      calls(index, malloc) &&
      elements[here + 1] !== undefined &&
      shape(elements[here + 1].index) === SHAPES.free &&
      (elements[here + 1].index === free || calls(elements[here + 1].index, free)) &&
      shape(elements[here + 2].index) === SHAPES.realloc,
  );
  if (at === -1) fail("no allocator in the table");
  const found = [
    ["malloc", elements[at]],
    ["free", elements[at + 1]],
    ["realloc", elements[at + 2]],
  ];
  const before = elements[at - 1];
  const isCalloc =
    shape(before.index) === SHAPES.calloc && (calls(before.index, malloc) || bodyOf(before.index).length < 16);
  if (isCalloc) found.unshift(["calloc", before]);
  return found;
}

/**
 * Wrappers of the functions with which QuickJS allocates. They charge each block to the budget of the running runtime.
 * The locals after the parameters are, if declared: the shared buffer, the block, its previous size, and the units.
 */
const WRAPPERS = {
  // (state, size) -> block
  malloc: (inner) => [
    ...[1, 2, 0x7f],
    ...pay(i32(BLOCK)),
    ...[
      ...get(1),
      ...OP.LONG_UNSIGNED,
      ...CURRENT_BUFFER,
      ...tee(2),
      ...load(4 * BUDGET),
      ...OP.LONG_SIGNED,
      ...OP.LONG_MORE,
      ...refuse(get(2)),
    ],
    ...[...get(0), ...get(1), ...call(inner), ...tee(3)],
    ...[...OP.IF, ...spend(block(3), get(2)), ...OP.ELSE, ...mark(MEMORY, get(2)), ...OP.END],
    ...[...get(3), ...OP.END],
  ],
  // (state, count, size) -> block
  calloc: (inner) => [
    ...[1, 2, 0x7f],
    ...pay(i32(BLOCK)),
    ...[...CURRENT_BUFFER, ...set(3)],
    ...[
      ...get(1),
      ...OP.LONG_UNSIGNED,
      ...get(2),
      ...OP.LONG_UNSIGNED,
      ...OP.LONG_MUL,
      ...budget(get(3)),
      ...OP.LONG_MORE,
      ...refuse(get(3)),
    ],
    ...[...get(0), ...get(1), ...get(2), ...call(inner), ...tee(4)],
    ...[...OP.IF, ...spend(block(4), get(3)), ...OP.ELSE, ...mark(MEMORY, get(3)), ...OP.END],
    ...[...get(4), ...OP.END],
  ],
  // (state, block)
  free: (inner) => [
    ...[1, 1, 0x7f],
    ...[
      ...get(1),
      ...OP.IF,
      ...CURRENT_BUFFER,
      ...set(2),
      ...spend([...i32(0), ...block(1), ...OP.SUB], get(2)),
      ...OP.END,
    ],
    ...[...get(0), ...get(1), ...call(inner), ...OP.END],
  ],
  // (state, block, size) -> block
  realloc: (inner) => [
    ...[1, 4, 0x7f],
    ...pay(i32(BLOCK)),
    // Whether realloc copies the block depends on the heap after it, so a copy is charged at every call, and not when
    // the allocator makes one.
    ...pay([...get(2), ...i32(COPIED_LOG2), ...OP.SHIFT]),
    ...[...i32(0), ...load(UNITS), ...set(6)],
    ...[...CURRENT_BUFFER, ...set(3)],
    ...[...get(1), ...OP.IF, ...block(1), ...set(5), ...OP.END],
    ...[
      ...get(2),
      ...OP.LONG_UNSIGNED,
      ...budget(get(3)),
      ...get(5),
      ...OP.LONG_UNSIGNED,
      ...OP.LONG_ADD,
      ...OP.LONG_MORE,
      ...refuse(get(3)),
    ],
    ...[...get(0), ...get(1), ...get(2), ...call(inner), ...set(4)],
    ...[...i32(0), ...get(6), ...store(UNITS), ...get(4)],
    ...[...OP.IF, ...spend([...block(4), ...get(5), ...OP.SUB], get(3)), ...OP.ELSE],
    ...[
      ...get(2),
      ...OP.IF,
      ...mark(MEMORY, get(3)),
      ...OP.ELSE,
      ...spend([...i32(0), ...get(5), ...OP.SUB], get(3)),
      ...OP.END,
      ...OP.END,
    ],
    ...[...get(4), ...OP.END],
  ],
};
const SHAPES = {
  malloc: "127,127>127",
  calloc: "127,127,127>127",
  free: "127,127>",
  realloc: "127,127,127>127",
};
