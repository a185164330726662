import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { EmscriptenModuleLoader, QuickJSFFI as FFI, QuickJSEmscriptenModule } from "@jitl/quickjs-ffi-types";

/** The engines that the sandbox can run on: builds of quickjs-emscripten. docs/sandbox.md says why the first one ships. */
export const ENGINES = {
  quickjs: "@jitl/quickjs-wasmfile-release-sync",
  "quickjs-ng": "@jitl/quickjs-ng-wasmfile-release-sync",
} as const;

export type EngineName = keyof typeof ENGINES;

/** An engine's code, loaded once for a thread: what every WASM module of it is made from. */
export interface EngineCode {
  readonly name: EngineName;
  readonly wasm: WebAssembly.Module;
  readonly load: EmscriptenModuleLoader<QuickJSEmscriptenModule>;
  readonly FFI: new (module: QuickJSEmscriptenModule) => FFI;
}

// V8 11.3 inlines calls of WASM into optimised code, and aborts the process when such code is deoptimised during the call
setFlagsFromString("--no-turbo-inline-js-wasm-calls");

const require = createRequire(import.meta.url);
const loaded = new Map<EngineName, EngineCode>();

/** Loads an engine; `wasm` is its compiled code where another thread has it already. */
export function engineCode(name: EngineName = "quickjs", wasm?: WebAssembly.Module): EngineCode {
  let code = loaded.get(name);
  if (code === undefined) {
    const variant = ENGINES[name];
    const load = require(`${variant}/emscripten-module`);
    code = {
      name,
      wasm: wasm ?? new WebAssembly.Module(readFileSync(require.resolve(`${variant}/wasm`))),
      load: load.default ?? load,
      FFI: require(`${variant}/ffi`).QuickJSFFI,
    };
    loaded.set(name, code);
  }
  return code;
}
