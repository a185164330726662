import { REFUSALS, UNUSED_DENIAL } from "../slots.js";
import { lastReason } from "./answers.js";
import { box } from "./host.js";
import { beginning } from "./text.js";

// Bound before the lockdown removes Reflect.
const { apply } = Reflect;

/** Characters of a stack that are reported. */
const MAX_STACK = 2048;

interface UnusedDenial {
  readonly reason: string;
  readonly stack: string;
}

let unused: UnusedDenial | null = null;

/** Returns the first denial that the decision dropped, and clears it. */
export function takeUnusedDenial(): UnusedDenial | null {
  const taken = unused;
  unused = null;
  return box[UNUSED_DENIAL] === 0 ? null : taken;
}

/**
 * The linker puts this around each call whose value the policy drops. `before` is how often `deny` had been called before it,
 * `value` what it returned. A negative integer together with a call of `deny` is a denial that has no effect. It is recorded
 * in the box, where no policy can take it back, before anything that can fail; then it throws.
 */
export function rejectUnused(before: number, value: unknown): unknown {
  if (box[REFUSALS] === before || typeof value !== "number" || !(value < 0) || !Number.isInteger(value)) return value;
  const isFirst = box[UNUSED_DENIAL] === 0;
  box[UNUSED_DENIAL] = 1;
  if (isFirst) unused = null;
  const error = new Error("a denial is not used");
  if (isFirst) unused = { reason: lastReason(), stack: beginning(error.stack ?? "", MAX_STACK) };
  throw error;
}

/**
 * The linker puts this around what a policy gives to `forEach` other than a function that stands there: `forEach` drops what a
 * callback returns. Whatever is no function is left for `forEach` to reject.
 */
export function dropping(callback: unknown): unknown {
  if (typeof callback !== "function") return callback;
  // a method has no `prototype`
  const { watched } = {
    watched(this: unknown, ...given: unknown[]): unknown {
      return rejectUnused(box[REFUSALS]!, apply(callback, this, given));
    },
  };
  return watched;
}
