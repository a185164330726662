import { setFlagsFromString } from "node:v8";

/**
 * Has V8 compile WASM with its fast compiler only: a command ends before optimized WASM pays off, and at exit would
 * wait for the compiler.
 */
export function compileWasmOnce(): void {
  if (process.arch === "x64" || process.arch === "arm64") setFlagsFromString("--liftoff-only");
}
