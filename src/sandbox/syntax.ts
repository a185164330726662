import { type JSContextPointer, type JSValuePointer, Module } from "./module.js";

/** JS_AddIntrinsicBaseObjects, Eval, RegExp, RegExpCompiler and BigInt: what compiling needs. */
const INTRINSICS = 1 | 4 | 16 | 32 | 2048;
/** JS_EVAL_FLAG_COMPILE_ONLY */
const COMPILE_ONLY = 1 << 5;
const LIMITS = { memory: 64 * 1024 * 1024, stack: 128 * 1024 };
const CALLBACKS = { called: () => 0 as JSValuePointer, interrupted: () => false };

export interface SyntaxRefusal {
  readonly message: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
}

/** Nothing is ever run here, so one context serves every text of the thread. */
let scratch: { module: Module; context: JSContextPointer } | null = null;

/** Why the engine does not compile a text, or null when it does. Runs nothing of it. */
export function refusedByEngine(text: string): SyntaxRefusal | null {
  try {
    if (scratch === null) {
      const module = new Module();
      scratch = { module, context: module.newContext(LIMITS, INTRINSICS, CALLBACKS)[1] };
    }
    const { module, context } = scratch;
    module.memory.allow(LIMITS.memory);
    const result = module.evaluate(context, text, "policy", COMPILE_ONLY);
    const error = module.exception(context, result);
    const refusal = error === null ? null : describe(module, context, error);
    if (error !== null) module.ffi.QTS_FreeValuePointer(context, error);
    module.ffi.QTS_FreeValuePointer(context, result);
    if (refusal?.message === "out of memory") scratch = null;
    return refusal;
  } catch (error) {
    scratch = null;
    // how deep a text nests is met by the host's stack before the engine's own bound
    return { message: error instanceof RangeError ? "nested too deeply" : "the engine failed", line: 1, column: 1 };
  }
}

function describe(module: Module, context: JSContextPointer, error: JSValuePointer): SyntaxRefusal {
  const text = (name: string) => module.readProperty(context, error, name);
  const [, line, column] = /policy:(\d+):(\d+)/.exec(text("stack")) ?? [];
  return { message: text("message"), line: Number(line ?? 1), column: Number(column ?? 1) };
}
