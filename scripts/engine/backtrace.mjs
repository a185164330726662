// Fixes a use-after-free in `build_backtrace` of quickjs.c.
import { functionBody } from "./instructions.mjs";
import { addressOfText, call, fail, get, i32, load, OP, Reader, signatureOf, store } from "./wasm.mjs";

/** A text that only `build_backtrace` of quickjs.c uses. */
const NATIVE = " (native)";
/** Parameters of `build_backtrace(context, error, …)`. */
const [CONTEXT, ERROR] = [0, 1];
/** Opcodes (WebAssembly Core Specification 2.0, 5.4). */
const [[RETURN], [CALL]] = [OP.RETURN, call(0)];
/** `JS_FreeValue(context, value)`: parameters and results. */
const FREE = "127,126>";

/**
 * `build_backtrace` has no reference of its own to the error, which may be the runtime's pending exception. If there is
 * no memory for the text of the stack, another exception becomes the pending one, the error is freed, and the engine
 * writes the property `stack` to freed memory. The patch takes a reference at the start, and drops it at the end.
 */
export function keepErrors(wasm, edits) {
  const { first, instructions } = functionBody(wasm, textUser(wasm));
  const all = [...instructions];
  if (all.some(({ op }) => op === RETURN)) fail("`build_backtrace` returns before its end");
  // the last call is JS_DefinePropertyValue, whose last call is JS_FreeValue
  const free = lastCallee(wasm, functionBody(wasm, lastCallee(wasm, all)).instructions);
  if (signatureOf(wasm, free) !== FREE) fail("the last call of JS_DefinePropertyValue is not JS_FreeValue");
  const ifObject = (then) => [...get(ERROR), ...OP.OBJECT, ...OP.LONG_GE_U, ...OP.IF, ...then, ...OP.END];
  const error = [...get(ERROR), ...OP.WRAP];
  edits.insert(first, ifObject([...error, ...error, ...load(0), ...i32(1), ...OP.ADD, ...store(0)]));
  edits.insert(all.at(-1).at, ifObject([...get(CONTEXT), ...get(ERROR), ...call(free)]));
}

/** The index of the one function that uses the text. */
function textUser(wasm) {
  const { bytes, bodies, imported } = wasm;
  const address = Buffer.from(i32(addressOfText(wasm, NATIVE)));
  const users = bodies.flatMap(({ start, size }, at) =>
    bytes.subarray(start, start + size).includes(address) ? [at + imported.length] : [],
  );
  if (users.length !== 1) fail(`${users.length} functions use the text of \`build_backtrace\``);
  return users[0];
}

function lastCallee({ bytes }, instructions) {
  return new Reader(bytes, [...instructions].findLast(({ op }) => op === CALL).at + 1).unsigned();
}
