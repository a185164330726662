import { LIMIT_FAULTS, type Outcome } from "../../policy/model/outcome.js";
import type { Exploration, Path } from "../explorer/exploration.js";
import { hasUnknown, type PathEnd, type TextPart } from "../shared/atom.js";
import type { Doubt } from "../shared/doubt.js";
import type { Input } from "./input.js";
import { inputsOf } from "./model-input.js";
import { SymbolValues } from "./symbol-values.js";

/** Asks the engine about an input. */
export type Ask = (input: Input) => Outcome;

/**
 * - `confirmed`: the engine gives this answer for an example of the path;
 * - `unconfirmed`: no example was found that the engine could be asked about;
 * - `limited`: every example that was tried reaches a limit of its attachment, which `what` names; it is assumed that
 *   no decision does;
 * - `contradicted`: the engine gives another answer, which `what` describes. That is a fault of the prover.
 */
export type Confirmation =
  | { readonly status: "confirmed"; readonly input: Input }
  | { readonly status: "unconfirmed" }
  | { readonly status: "limited"; readonly what: string }
  | { readonly status: "contradicted"; readonly input: Input; readonly what: string };

/** What the engine did for an example: the answers of all policies, and how it differs from what is expected. */
export interface Attempt {
  readonly outcomes: Iterable<Outcome>;
  /** Null if it does not differ. */
  readonly differs: string | null;
}

/** Has the engine decide an example of a path. */
export function confirm(path: Path, exploration: Exploration, ask: Ask): Confirmation {
  return confirmBy(path, exploration, (input, values) => {
    const outcome = ask(input);
    return { outcomes: [outcome], differs: difference(path.end, values, outcome) };
  });
}

/** Like {@link confirm}, but `attempt` asks the engine and compares its answer. */
export function confirmBy(
  path: Path,
  exploration: Exploration,
  attempt: (input: Input, values: SymbolValues) => Attempt,
): Confirmation {
  let confirmation: Confirmation = { status: "unconfirmed" };
  if (path.example === "unknown") return confirmation;
  for (const input of inputsOf(path.example, exploration)) {
    const values = new SymbolValues(input, exploration.knowledge);
    if (!values.satisfy(path.conditions)) continue;
    const { outcomes, differs: what } = attempt(input, values);
    const limit = limitReached(outcomes);
    if (limit === null) return what === null ? { status: "confirmed", input } : { status: "contradicted", input, what };
    confirmation = { status: "limited", what: limit };
  }
  return confirmation;
}

/** Why a path is not decided, whatever its end, if its confirmation is `limited` or `contradicted`; null otherwise. */
export function doubtFrom(confirmation: Confirmation): Pick<Doubt, "why" | "contradicted"> | null {
  const { status } = confirmation;
  if (status === "contradicted") return { why: `the prover is wrong here: ${confirmation.what}`, contradicted: true };
  if (status === "limited") return { why: `every example that was tried reaches a limit: ${confirmation.what}` };
  return null;
}

/** The first limit that one of some answers reached; null if none did. */
function limitReached(outcomes: Iterable<Outcome>): string | null {
  for (const { fault } of outcomes)
    if (fault !== null && LIMIT_FAULTS.has(fault.code)) return `${fault.code}: ${fault.message}`;
  return null;
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
  return differs("verdict", verdict, outcome.verdict) ?? reasonDiffers(end.reason, values, outcome.reason);
}

/** How the engine's reason differs from the expected one, in which a part that is not known can be any text. */
export function reasonDiffers(
  expected: readonly TextPart[] | null,
  values: SymbolValues,
  found: string | null,
): string | null {
  if (expected === null || !hasUnknown(expected))
    return differs("reason", expected && cutReason(values.text(expected)), found);
  const known: string[] = [""];
  for (const part of expected)
    if (hasUnknown([part])) known.push("");
    else known[known.length - 1] += values.text([part]);
  // Of a reason that is cut only the beginning is left
  const isCut = found !== null && found.length === MAX_REASON && found.endsWith("…");
  const [first, ...others] = isCut ? [known[0]!.slice(0, MAX_REASON - 1)] : (known as [string, ...string[]]);
  if (found?.startsWith(first) && (isCut || endsInOrder(found.slice(first.length), others))) return null;
  return differs("reason", known.join("{…}"), found);
}

/** Whether a text has some texts in this order, the last of them at its end. */
function endsInOrder(text: string, others: readonly string[]): boolean {
  let from = 0;
  for (const one of others.slice(0, -1)) {
    const at = text.indexOf(one, from);
    if (at < 0) return false;
    from = at + one.length;
  }
  const last = others.at(-1)!;
  return text.length - last.length >= from && text.endsWith(last);
}

export function differs(what: string, expected: unknown, found: unknown): string | null {
  if (expected === found) return null;
  return `the engine's ${what} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`;
}

/** A reason as the sandbox cuts it. */
function cutReason(text: string): string {
  return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text;
}
