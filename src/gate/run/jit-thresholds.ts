import { setFlagsFromString } from "node:v8";

/** The first version of V8 that counts invocations where those before counted bytecode; node 22 has 12.4. */
const COUNTS_INVOCATIONS = 12;

/**
 * Bytes of bytecode that a function has run before V8 optimises it, and of those that it may take in from what it
 * calls: 67,584 and 920 by V8's own measure, which is that of programs whose hot code is some loops. A gate's is one
 * long way that every call takes once, through hundreds of small functions.
 */
export const FLAGS: readonly string[] = [
  ...(Number.parseInt(process.versions.v8, 10) < COUNTS_INVOCATIONS ? ["--interrupt-budget=15000"] : []),
  "--max-inlined-bytecode-size-cumulative=2000",
];

/**
 * Milliseconds in which most commands make their first calls. V8's threads have low priority for longer
 * (v8-thread-priority.ts).
 */
const WAIT = 250;

/**
 * Makes V8 optimise sooner and inline more, once a command has made its first calls. Not for agents: it takes memory.
 */
export function lowerJitThresholds(): void {
  setTimeout(() => {
    for (const flag of FLAGS) setFlagsFromString(flag);
  }, WAIT).unref();
}
