// Keeps an error alive while the engine writes its stack to it.
import { bodyOf } from "./instructions.mjs";
import { call, fail, get, i32, load, OP, Reader, store } from "./wasm.mjs";

/** A text that only `build_backtrace` of quickjs.c uses. */
const NATIVE = " (native)\0";
/** Parameters of `build_backtrace(context, error, …)`. */
const [CONTEXT, ERROR] = [0, 1];
/** Opcodes (WebAssembly Core Specification 2.0, 5.4). */
const [RETURN, CALL] = [0x0f, 0x10];
/** `JS_FreeValue(context, value)`: parameters and results. */
const FREE = "127,126>";

/**
 * `build_backtrace` has no reference of its own to the error, which may be the runtime's pending exception. If there is
 * no memory for the text of the stack, another exception becomes the pending one, the error is freed, and the engine
 * writes the property `stack` to freed memory. The patch takes a reference at the start, and drops it at the end.
 */
export function keepErrors(wasm, edits) {
  const { first, instructions } = parsed(wasm, textUser(wasm));
  if (instructions.some(({ op }) => op === RETURN)) fail("`build_backtrace` returns before its end");
  const free = lastCallee(wasm, parsed(wasm, lastCallee(wasm, instructions)).instructions);
  const shape = wasm.types[wasm.functions[free]].map((side) => side.join()).join(">");
  if (shape !== FREE) fail("the last call of JS_DefinePropertyValue is not JS_FreeValue");
  const ifObject = (then) => [...get(ERROR), ...OP.OBJECT, ...OP.LONG_NOT_LESS, ...OP.IF, ...then, ...OP.END];
  const error = [...get(ERROR), ...OP.WRAP];
  edits.insert(first, ifObject([...error, ...error, ...load(0), ...i32(1), ...OP.ADD, ...store(0)]));
  edits.insert(instructions.at(-1).at, ifObject([...get(CONTEXT), ...get(ERROR), ...call(free)]));
}

/** The index of the one function that uses the text. */
function textUser({ bytes, bodies, imported, data }) {
  const segment = data.find((one) => one.bytes.includes(NATIVE)) ?? fail("no text of `build_backtrace`");
  const address = Buffer.from(i32(segment.address + segment.bytes.indexOf(NATIVE)));
  const users = bodies.flatMap(({ start, size }, at) =>
    bytes.subarray(start, start + size).includes(address) ? [at + imported.length] : [],
  );
  if (users.length !== 1) fail(`${users.length} functions use the text of \`build_backtrace\``);
  return users[0];
}

function parsed({ bytes, bodies, imported }, index) {
  const { start, size } = bodies[index - imported.length];
  const { first, instructions } = bodyOf(bytes, start, start + size);
  return { first, instructions: [...instructions] };
}

function lastCallee({ bytes }, instructions) {
  return new Reader(bytes, instructions.findLast(({ op }) => op === CALL).at + 1).unsigned();
}
