import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createContext, Script } from "node:vm";
import type { QuickJSFFI as FFI, QuickJSEmscriptenModule } from "@jitl/quickjs-ffi-types";
import { type InstalledFile, installed, runInstalled, textOf } from "../installed.js";
import { fitted } from "./fitting.js";
import { FITTINGS } from "./splices.gen.js";

/**
 * The engines that the sandbox can run on: builds of quickjs-emscripten. docs/sandbox.md says why the first one ships.
 */
export const ENGINES = {
  quickjs: "@jitl/quickjs-wasmfile-release-sync",
  "quickjs-ng": "@jitl/quickjs-ng-wasmfile-release-sync",
} as const;

export type EngineName = keyof typeof ENGINES;

/** An engine's code, loaded once for a thread: what every WASM module of it is made from. */
export interface EngineCode {
  readonly name: EngineName;
  readonly wasm: WebAssembly.Module;
  /** Makes a module of what it is given, and is done with it when it returns. */
  readonly load: (heap: object) => void;
  readonly FFI: new (module: QuickJSEmscriptenModule) => FFI;
}

// V8 11.3 inlines calls of WASM into optimised code, and aborts the process when such code is deoptimised during the
// call
setFlagsFromString("--no-turbo-inline-js-wasm-calls");

const loaded = new Map<EngineName, EngineCode>();

/** Loads an engine; `wasm` is its compiled code where another thread has it already. */
export function engineCode(name: EngineName = "quickjs", wasm?: WebAssembly.Module): EngineCode {
  let code = loaded.get(name);
  if (code === undefined) {
    const variant = ENGINES[name];
    code = {
      name,
      wasm: wasm ?? compiled(installed(`${variant}/wasm`), name),
      load: loader(installed(`${variant}/emscripten-module`)),
      FFI: (runInstalled(`${variant}/ffi`) as { readonly QuickJSFFI: EngineCode["FFI"] }).QuickJSFFI,
    };
    loaded.set(name, code);
  }
  return code;
}

function compiled({ path, bytes }: InstalledFile, name: EngineName): WebAssembly.Module {
  const { buffer, byteOffset, byteLength } = bytes;
  return new WebAssembly.Module(fitted(Buffer.from(buffer, byteOffset, byteLength), FITTINGS[name], path));
}

/**
 * The loader that emscripten writes is async, though all it waits for is the instance, which is made at once. So it is
 * run in a context whose promises are settled before the call returns: it is whole then, and nothing of it is left in a
 * queue that a thread which never comes back to its event loop would fill with every module that it replaces.
 */
function loader({ path, bytes }: InstalledFile): EngineCode["load"] {
  const module = { exports: {} as { default?: unknown } };
  const context = createContext(
    { process, console, TextDecoder, URL, performance, heap: null as object | null, load: null as unknown },
    { microtaskMode: "afterEvaluate" },
  );
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${textOf(bytes)}\n})`;
  const wrapper = new Script(wrapped, { filename: path }).runInContext(context);
  wrapper(module.exports, createRequire(path), module, path, dirname(path));
  context.load = module.exports.default ?? module.exports;
  const call = new Script("load(heap)");
  return (heap) => {
    context.heap = heap;
    call.runInContext(context);
    context.heap = null;
  };
}
