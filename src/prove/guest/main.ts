/**
 * The explorer in the sandbox. Rewritten policies import it; scripts/guest.mjs bundles it to the text of a module. A
 * policy cannot name what is in it, and cannot read a symbol except through its functions.
 */
import { call, own } from "./calls.js";
import { symbol, view } from "./facts.js";
import { denials, denialWith, unused } from "./helpers.js";
import { namespace } from "./namespace.js";
import { isWithin } from "./numbers.js";
import { isEqual } from "./operators.js";
import { at, beginning, caught, fault, finish, hasEnded, here, notDecided as undecided } from "./path.js";
import { linear, partsOf, termOf } from "./term.js";
import { settled } from "./values.js";

export { callMethod, construct, own } from "./calls.js";
export * from "./helpers.js";
export { elements, get, key, properties, set } from "./members.js";
export { binary, numeric, unary } from "./operators.js";
export { caught } from "./path.js";
export {
  and,
  defaulted,
  hasType,
  nullish,
  object,
  optional,
  or,
  template,
  truthy,
  typeOf,
} from "./values.js";
export { invoke as call };

function invoke(place: number, callee: unknown, given: readonly unknown[]): unknown {
  return call(place, callee, given);
}

/** The namespace of the virtual module. */
export function guestNamespace(): object {
  return namespace;
}

export function notDecided(place: number, what: string): never {
  at(place);
  return undecided(what);
}

/** A callback whose values are dropped; none of them may be a denial. */
export function droppingCallback(place: number, callback: unknown): unknown {
  at(place);
  if (typeof callback !== "function") return callback;
  return own((...given: unknown[]) => {
    const before = denials();
    return unused(place, before, call(place, callback, given));
  });
}

let returnedAt = 0;

export function returned(place: number, value: unknown): unknown {
  at(place);
  returnedAt = place;
  return value;
}

/** Explores one path: calls the hook with symbols, and tells the host how the path ends. */
export function run(hook: (subject: unknown, current: unknown) => unknown): number {
  try {
    const { argument, subject, current } = beginning;
    const given = symbol(argument, { k: "object", name: argument, fields: subject, isSubject: true });
    const task = symbol("current", { k: "object", name: "current", fields: current, isSubject: false });
    conclude(call(0, hook, [given, task]));
  } catch (error) {
    if (hasEnded()) return 0;
    endWith(error);
  }
  return 0;
}

function endWith(error: unknown): void {
  try {
    caught(here(), error);
    fault("POLICY_ERROR", "an exception");
  } catch {
    // The path has ended
  }
}

function conclude(value: unknown): never {
  at(returnedAt);
  const its = settled(view(value));
  const term = termOf(its);
  if (term?.k === "double") return undecided("a number of a map as a verdict");
  if (term === null ? !isVerdict(its) : term.k !== "integer" || !isWithin(term, -4095n, 0n))
    return fault("BAD_RETURN_VALUE", "a value that is no verdict");
  if (isEqual(its, 0, true)) return finish({ kind: "verdict", verdict: 0, reason: null, place: here() });
  const denial = denialWith(its);
  const verdict = term?.k === "integer" ? linear(term) : (its as number);
  const reason = denial === null ? null : partsOf(denial.reason);
  return finish({ kind: "verdict", verdict, reason, place: denial?.place ?? here() });
}

function isVerdict(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) <= 0 && (value as number) >= -4095;
}
