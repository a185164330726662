/**
 * The explorer in the sandbox. Rewritten policies import it; scripts/guest.mjs bundles it to the text of a module. A
 * policy cannot name what is in it, and cannot read a symbol except through its functions.
 */
import { ask, currentSymbol, type Hook } from "./answer.js";
import { call, own, parametersOf } from "./calls.js";
import { comparisonEnd } from "./comparison.js";
import { Asked, decisionEnd } from "./decision.js";
import { allowWrites, denials, unused } from "./helpers.js";
import { forgetChanges } from "./loops.js";
import { namespace } from "./namespace.js";
import { at, beginning, endLoading, hasHalted, report, notDecided as undecided } from "./path.js";
import { propertyEnd } from "./property.js";

export { returned } from "./answer.js";
export { callMethod, construct, own, pattern } from "./calls.js";
export { accumulating } from "./folding.js";
export * from "./helpers.js";
export { accumulate, birth, write } from "./loops.js";
export { array, each, element, elements, get, indexed, key, keys, properties, rest, set, spread } from "./members.js";
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
  const dropping = function (this: unknown, ...given: unknown[]) {
    const before = denials();
    return unused(place, before, call(place, callback, given, this));
  };
  return own(dropping, parametersOf(callback));
}

/**
 * Explores one path: of a hook, of the hooks of all attachments of a configuration, in order, of a property of their
 * decisions, or of the decisions of two configurations.
 */
export function run(hooks: readonly Hook[], property: readonly unknown[]): number {
  const { configuration, compared } = beginning;
  const current = currentSymbol();
  endLoading();
  forgetChanges();
  if (property.length === 0 && compared === null && (configuration?.attachments ?? [null]).length === 1) allowWrites();
  try {
    if (configuration === null) report(ask(hooks[0]!, current).end);
    else if (property.length > 0) report(propertyEnd(property[0], configuration, hooks));
    else if (compared === null) report(decisionEnd(new Asked(configuration, hooks, current)));
    else report(comparisonEnd(configuration, compared, hooks, current));
  } catch (error) {
    if (!hasHalted()) throw error;
  }
  return 0;
}
