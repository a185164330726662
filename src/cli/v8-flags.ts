import { setFlagsFromString } from "node:v8";

/** Skips V8's optimizing WASM compiler: a command ends before that pays, and would wait for it when it exits. */
export function compileWasmOnce(): void {
  if (process.arch === "x64" || process.arch === "arm64") setFlagsFromString("--liftoff-only");
}

/**
 * Opens an engine without V8's optimizing compiler for JavaScript, which is then enabled again. Opening runs each function of
 * the linker a few thousand times: with 1,000 policies, optimizing takes more time than it saves. Decisions about large
 * programs need optimized code.
 */
export async function openUnoptimized<T>(open: () => Promise<T>): Promise<T> {
  setFlagsFromString("--no-opt");
  try {
    return await open();
  } finally {
    setFlagsFromString("--opt");
  }
}
