import { Script } from "node:vm";

const WORK = Symbol.for("countersign.work");
const holder = globalThis as { [WORK]?: (() => unknown) | undefined };
const run = new Script('globalThis[Symbol.for("countersign.work")]()');

/**
 * Returns the result of `work`, or null if `work` was terminated after `milliseconds`, in JavaScript or in WebAssembly.
 * A terminated `work` runs no `catch` or `finally` block of its own, so the caller must discard its incomplete state.
 */
export function withTimeLimit<T>(milliseconds: number, work: () => T): T | null {
  // node terminates a script from a thread of its own; this script does nothing but call `work`
  holder[WORK] = work;
  try {
    return run.runInThisContext({ timeout: Math.max(1, Math.ceil(milliseconds)) }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return null;
    throw error;
  } finally {
    holder[WORK] = undefined;
  }
}
