import { REFUSALS, UNUSED_DENIAL } from "../shared/buffer-layout.js";
import { lastReason } from "./answers.js";
import { integers } from "./host.js";
import { beginning } from "./text.js";

// Bound before the lockdown removes Reflect.
const { apply } = Reflect;

/** The most characters of a stack to report. */
const MAX_STACK = 2048;

interface UnusedDenial {
  readonly reason: string;
  readonly stack: string;
}

let unused: UnusedDenial | null = null;

/** Returns the first denial that the policy dropped in this decision, and clears it. */
export function takeUnusedDenial(): UnusedDenial | null {
  const taken = unused;
  unused = null;
  return integers[UNUSED_DENIAL] === 0 ? null : taken;
}

/**
 * The linker puts this around each call whose value the policy drops. `before` is the number of calls of `deny` before
 * that call, `value` is its result. If `deny` was called and the result is a negative integer, a denial has no effect.
 * That is recorded in the shared buffer, where the policy cannot change it, before anything that can fail; then this
 * throws.
 */
export function rejectUnused(before: number, value: unknown): unknown {
  if (integers[REFUSALS] === before || typeof value !== "number" || !(value < 0) || !Number.isInteger(value))
    return value;
  const isFirst = integers[UNUSED_DENIAL] === 0;
  integers[UNUSED_DENIAL] = 1;
  if (isFirst) unused = null;
  const error = new Error("a denial is not used");
  if (isFirst) unused = { reason: lastReason(), stack: beginning(error.stack ?? "", MAX_STACK) };
  throw error;
}

/**
 * The linker puts this around the argument of `forEach`, unless that is a function literal: `forEach` drops the values
 * that a callback returns. A value that is not a function is returned as it is, for `forEach` to reject.
 */
export function dropping(callback: unknown): unknown {
  if (typeof callback !== "function") return callback;
  // Unlike a function, a method has no `prototype`
  const { watched } = {
    watched(this: unknown, ...given: unknown[]): unknown {
      return rejectUnused(integers[REFUSALS]!, apply(callback, this, given));
    },
  };
  return watched;
}
