import { setFlagsFromString } from "node:v8";

/** From this major version on, V8 counts invocations of functions, not executed bytecode; node 22 has 12.4. */
const COUNTS_INVOCATIONS = 12;

/**
 * V8 flags: bytes of bytecode that a function executes before it is optimised (default 67,584), and bytes of bytecode
 * that are inlined into one function (default 920). The defaults suit programs whose hot code is a few loops. The hot
 * code of a gate is one long path through hundreds of small functions, which each call takes once.
 */
export const FLAGS: readonly string[] = [
  ...(Number.parseInt(process.versions.v8, 10) < COUNTS_INVOCATIONS ? ["--interrupt-budget=2500"] : []),
  "--max-inlined-bytecode-size-cumulative=2000",
];

/**
 * Milliseconds until the flags are set: most commands have made their first calls by then. V8's threads have low
 * priority for longer (v8-thread-priority.ts).
 */
const WAIT = 100;

/**
 * Makes V8 optimise sooner and inline more, after the first calls of a command. Agents do not use this: tools
 * under one started no sooner with it, neither the first ones nor those after a hundred (bench/NOTES.md).
 */
export function lowerJitThresholds(): void {
  setTimeout(() => {
    for (const flag of FLAGS) setFlagsFromString(flag);
  }, WAIT).unref();
}
