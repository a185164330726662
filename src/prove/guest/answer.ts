import { call } from "./calls.js";
import { symbol } from "./facts.js";
import { denialWith, forgetDenials } from "./helpers.js";
import { hasChangedState } from "./loops.js";
import { isWithin } from "./numbers.js";
import { isEqual } from "./operators.js";
import { at, beginning, endOf, fault, finish, here, notDecided } from "./path.js";
import { linear, partsOf, type Sym, type Term, termOf } from "./term.js";
import { settled } from "./values.js";

export type Hook = (subject: unknown, current: unknown) => unknown;

/** What a policy answered: a value of the sandbox, 0 or a negative integer, and the reason of its denial. */
export interface Answer {
  readonly verdict: unknown;
  readonly reason: readonly (string | Term)[] | null;
}

type End = ReturnType<typeof endOf>;

let returnedAt = 0;
const askedBefore = new WeakSet<Hook>();

/** Remembers where a function of the policy returned. */
export function returned(place: number, value: unknown): unknown {
  at(place);
  returnedAt = place;
  return value;
}

/** Where the last function returned. */
export function returnPlace(): number {
  return returnedAt;
}

/** The subject and the caller of the decision. */
export function subjectSymbol(): Sym {
  const { argument, subject } = beginning;
  return symbol(argument, { k: "object", name: argument, fields: subject, isSubject: true });
}

export function currentSymbol(): Sym {
  return symbol("current", { k: "object", name: "current", fields: beginning.current, isSubject: false });
}

/** Asks a policy, and returns how that ends; the answer is null after a fault, and if it is not decided. */
export function ask(hook: Hook, current: Sym): { readonly end: End; readonly answer: Answer | null } {
  forgetDenials();
  returnedAt = 0;
  let answer: Answer | null = null;
  // Each decision of the engine begins with new variables
  const isChanged = askedBefore.has(hook) && hasChangedState();
  askedBefore.add(hook);
  const end = endOf(() => {
    if (isChanged) return notDecided("another decision of a policy that changes its variables or objects");
    const { reason, verdict, place } = concluded(call(0, hook, [subjectSymbol(), current]));
    answer = { verdict, reason };
    const term = termOf(verdict);
    return finish({
      kind: "verdict",
      verdict: term?.k === "integer" ? linear(term) : (verdict as number),
      reason: reason && partsOf(reason),
      place,
    });
  });
  return { end, answer: end.kind === "verdict" ? answer : null };
}

function concluded(value: unknown): Answer & { readonly place: number } {
  at(returnedAt);
  const its = settled(value);
  const term = termOf(its);
  if (term?.k === "double") return notDecided("a number of a map as a verdict");
  if (term === null ? !isVerdict(its) : term.k !== "integer" || !isWithin(term, -4095n, 0n))
    return fault("BAD_RETURN_VALUE", "a value that is no verdict");
  if (isEqual(its, 0, true)) return { verdict: 0, reason: null, place: here() };
  const denial = denialWith(its);
  return { verdict: its, reason: denial?.reason ?? null, place: denial?.place ?? here() };
}

function isVerdict(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) <= 0 && (value as number) >= -4095;
}
