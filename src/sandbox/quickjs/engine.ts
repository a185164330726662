import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setFlagsFromString } from "node:v8";
import { createContext, Script } from "node:vm";
import type { QuickJSFFI as FFI, QuickJSEmscriptenModule } from "@jitl/quickjs-ffi-types";
import { type InstalledFile, installed, runInstalled, textOf } from "../../installed.js";
import { QUICKJS_PATCH } from "./quickjs-patch.gen.js";
import { patchWasm, type WasmPatch } from "./wasm-patch.js";

/** A build of QuickJS: a package of quickjs-emscripten, and the patch for its WebAssembly. */
export interface EngineBuild {
  readonly package: string;
  readonly patch: WasmPatch;
}

/** The default build; docs/sandbox.md explains the choice. */
export const QUICKJS: EngineBuild = { package: "@jitl/quickjs-wasmfile-release-sync", patch: QUICKJS_PATCH };

/** An engine's code, loaded once per thread, from which its WASM modules are instantiated. */
export interface EngineCode {
  readonly wasm: WebAssembly.Module;
  /** Runs emscripten's loader on `heap`, synchronously: the module is complete when this returns. */
  readonly load: (heap: object) => void;
  readonly FFI: new (module: QuickJSEmscriptenModule) => FFI;
}

// V8 11.3 inlines calls of WASM into optimised code, and aborts the process when such code is deoptimised during the
// call
setFlagsFromString("--no-turbo-inline-js-wasm-calls");

const loaded = new Map<EngineBuild, EngineCode>();

/** Loads an engine, once per thread. */
export function engineCode(build: EngineBuild = QUICKJS): EngineCode {
  let code = loaded.get(build);
  if (code === undefined) {
    code = {
      wasm: compiled(installed(`${build.package}/wasm`), build.patch),
      load: loader(installed(`${build.package}/emscripten-module`)),
      FFI: (runInstalled(`${build.package}/ffi`) as { readonly QuickJSFFI: EngineCode["FFI"] }).QuickJSFFI,
    };
    loaded.set(build, code);
  }
  return code;
}

function compiled({ path, bytes }: InstalledFile, patch: WasmPatch): WebAssembly.Module {
  const { buffer, byteOffset, byteLength } = bytes;
  return new WebAssembly.Module(patchWasm(Buffer.from(buffer, byteOffset, byteLength), patch, path));
}

/**
 * Emscripten's loader is async, but waits only for the instance, which is created synchronously. It runs in a context
 * with a microtask queue of its own, which is drained before the call returns. With the thread's queue, a thread that
 * never returns to its event loop would accumulate the microtasks of every module.
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
