import { setFlagsFromString } from "node:v8";

/** From this major version on, V8 counts invocations of functions, not executed bytecode; node 22 has 12.4. */
const COUNTS_INVOCATIONS = 12;

/**
 * V8 flags: bytes of bytecode that a function executes before it is optimised (default 67,584), and bytes of bytecode
 * that are inlined into one function (default 920). The defaults suit programs whose hot code is a few loops. The hot
 * code of a gate is one long path through hundreds of small functions, which each call takes once.
 */
export const FLAGS: readonly string[] = [
  ...(Number.parseInt(process.versions.v8, 10) < COUNTS_INVOCATIONS ? ["--interrupt-budget=15000"] : []),
  "--max-inlined-bytecode-size-cumulative=2000",
];

/**
 * Makes V8 optimise sooner and inline more from `wait` milliseconds on, in all threads of the process: the first calls
 * would wait for its compiler.
 */
export function lowerJitThresholds(wait: number): void {
  setTimeout(() => {
    for (const flag of FLAGS) setFlagsFromString(flag);
  }, wait).unref();
}
