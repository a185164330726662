import type { FaultCode, Outcome } from "../../policy/model/outcome.js";
import type { Exploration, Path } from "../explorer/exploration.js";
import type { PathEnd } from "../shared/atom.js";
import type { Input } from "./input.js";
import { inputsOf } from "./model-input.js";
import { SymbolValues } from "./symbol-values.js";

/** Asks the engine about an input. */
export type Ask = (input: Input) => Outcome;

/** Faults of decisions that reach a limit of their attachment; it is assumed that none does. */
const LIMITS: ReadonlySet<FaultCode> = new Set(["OUT_OF_STEPS", "OUT_OF_TIME", "OUT_OF_MEMORY", "OUT_OF_STACK"]);

/** Said of an input for which the engine reaches a limit: it is outside of what is assumed. */
const BEYOND_LIMITS = Symbol("beyond limits");

/**
 * - `confirmed`: the engine gives this answer for an example of the path;
 * - `unconfirmed`: no example was found that the engine could be asked about, and decided within its limits;
 * - `contradicted`: the engine gives another answer, which `what` describes. That is a fault of the prover.
 */
export type Confirmation =
  | { readonly status: "confirmed"; readonly input: Input }
  | { readonly status: "unconfirmed" }
  | { readonly status: "contradicted"; readonly input: Input; readonly what: string };

/** Has the engine decide an example of a path. */
export function confirm(path: Path, exploration: Exploration, ask: Ask): Confirmation {
  return confirmBy(path, exploration, (input, values) => {
    const outcome = ask(input);
    const { end } = path;
    const isExpected = end.kind === "fault" && end.code === outcome.fault?.code;
    if (!isExpected && outcome.fault !== null && LIMITS.has(outcome.fault.code)) return BEYOND_LIMITS;
    return difference(end, values, outcome);
  });
}

/** The same with another question: `differ` says how the engine differs for an input; null if it does not. */
export function confirmBy(
  path: Path,
  exploration: Exploration,
  differ: (input: Input, values: SymbolValues) => string | null | typeof BEYOND_LIMITS,
): Confirmation {
  if (path.example === "unknown") return { status: "unconfirmed" };
  for (const input of inputsOf(path.example, exploration)) {
    const values = new SymbolValues(input, exploration.knowledge);
    if (!values.satisfy(path.conditions)) continue;
    const what = differ(input, values);
    if (what === BEYOND_LIMITS) continue;
    return what === null ? { status: "confirmed", input } : { status: "contradicted", input, what };
  }
  return { status: "unconfirmed" };
}

/** Maximum length in characters of a reason, after which the sandbox cuts it. */
const MAX_REASON = 1024;

/** How the engine's outcome differs from what is expected at the end of a path; null if it does not. */
export function difference(end: PathEnd, values: SymbolValues, outcome: Outcome): string | null {
  if (end.kind === "not decided") return null;
  if (end.kind !== "fault" && end.kind !== "verdict") throw new TypeError("a decision is no answer of a policy");
  if (end.kind === "fault") return differs("fault", end.code, outcome.fault?.code ?? null);
  if (outcome.fault !== null) return `the engine's fault is ${outcome.fault.code}: ${outcome.fault.message}`;
  const verdict = typeof end.verdict === "number" ? end.verdict : values.number(end.verdict);
  const reason = end.reason === null ? null : cutReason(values.text(end.reason));
  return differs("verdict", verdict, outcome.verdict) ?? differs("reason", reason, outcome.reason);
}

export function differs(what: string, expected: unknown, found: unknown): string | null {
  if (expected === found) return null;
  return `the engine's ${what} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`;
}

/** A reason as the sandbox cuts it. */
export function cutReason(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text;
}
