import { COMPILE_MEMORY, COMPILE_UNITS } from "../shared/limits.js";
import { NO_LIMIT } from "./memory.js";
import { type JSContextPointer, type JSValuePointer, Module } from "./module.js";

/** JS_AddIntrinsicBaseObjects, Eval, RegExp, RegExpCompiler and BigInt: what the compiler needs. */
const INTRINSICS = 1 | 4 | 16 | 32 | 2048;
/** JS_EVAL_FLAG_COMPILE_ONLY */
const COMPILE_ONLY = 1 << 5;
const LIMITS = { stack: 128 * 1024 };
const CALLBACKS = { called: () => 0 as JSValuePointer, interrupted: () => false };

export interface SyntaxRefusal {
  /** `size`: compiling the policy takes more units or bytes than a policy may use. */
  readonly kind: "syntax" | "size";
  readonly message: string;
  /** Both start at 1. */
  readonly line: number;
  readonly column: number;
}

/** No code is run in it, so one context serves all texts of the thread. */
let scratch: { module: Module; context: JSContextPointer } | null = null;

/**
 * Why the engine cannot compile a text, or null if it can. Runs no code. Compiling has limits of units and bytes:
 * QuickJS compiles regular expressions together with the text, and some texts take time quadratic in their length.
 * `units` is the limit of units.
 */
export function refusedByEngine(text: string, units = COMPILE_UNITS): SyntaxRefusal | null {
  try {
    if (scratch === null) {
      const module = new Module();
      scratch = { module, context: module.newContext(LIMITS, INTRINSICS, CALLBACKS)[1] };
    }
    const { module, context } = scratch;
    module.memory.allow(COMPILE_MEMORY, units);
    const result = module.evaluate(context, text, "policy", COMPILE_ONLY);
    module.memory.units = NO_LIMIT;
    const error = module.exception(context, result);
    const refusal = error === null ? null : describe(module, context, error);
    if (error !== null) module.ffi.QTS_FreeValuePointer(context, error);
    module.ffi.QTS_FreeValuePointer(context, result);
    if (refusal?.kind === "size") scratch = null;
    return refusal;
  } catch (error) {
    const spent = scratch !== null && scratch.module.memory.units < 0;
    scratch = null;
    if (spent)
      return { kind: "size", message: `takes more than ${units} units of work to compile`, line: 1, column: 1 };
    // Deep nesting exhausts the host's stack before the engine's own limit
    const message = error instanceof RangeError ? "nested too deeply" : "the engine failed";
    return { kind: "syntax", message, line: 1, column: 1 };
  }
}

function describe(module: Module, context: JSContextPointer, error: JSValuePointer): SyntaxRefusal {
  const text = (name: string) => module.readProperty(context, error, name);
  const [, line, column] = /policy:(\d+):(\d+)/.exec(text("stack")) ?? [];
  const place = { line: Number(line ?? 1), column: Number(column ?? 1) };
  const message = text("message");
  if (message !== "out of memory") return { kind: "syntax", message, ...place };
  return { kind: "size", message: `takes more than ${COMPILE_MEMORY} bytes to compile`, ...place };
}
