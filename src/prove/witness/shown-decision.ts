import { verdictName } from "../../errno.js";
import type { Exploration, Path } from "../explorer/exploration.js";
import type { Atom } from "../shared/atom.js";
import { isHelperVerdict } from "../shared/helper-verdict.js";
import { namesIn } from "../solver/element-conditions.js";
import type { EngineDecision } from "./engine-decision.js";
import type { Input } from "./input.js";
import { SymbolValues } from "./symbol-values.js";

/** A decision of the engine, for people. */
export interface ShownDecision {
  /** `0` or `-EPERM`; in a dry run it is applied by nobody. */
  readonly enforced_verdict: string;
  readonly attachment: string | null;
  readonly reason: string | null;
  readonly fault: string | null;
}

export function shownDecision({ result, outcomes }: EngineDecision): ShownDecision {
  const { denied_by: denied, enforced_verdict } = result;
  const outcome = denied?.attachment == null ? undefined : outcomes.get(denied.attachment);
  return {
    enforced_verdict: verdictName(enforced_verdict),
    attachment: denied?.attachment ?? null,
    reason: denied?.reason ?? null,
    fault: outcome?.fault?.code ?? null,
  };
}

/** The facts, the caller's fields and the answers of helpers that the conditions of a path name, by their names. */
export function shownValues(path: Path, input: Input, exploration: Exploration): Readonly<Record<string, unknown>> {
  const values = new SymbolValues(input, exploration.knowledge);
  const names = path.conditions.flatMap(({ atom }) => shownNames(atom));
  const shown = [...new Set(names.map((name) => name.replace(/[?!]$/, "")))].map((name) => {
    const value = values.valueOf(name);
    return [name, value === undefined ? "(absent)" : readable(name, value)];
  });
  return Object.fromEntries(shown);
}

/** The names in a condition, without those of elements that a condition is about. */
function shownNames(atom: Atom): readonly string[] {
  if (atom.kind === "any") return atom.where.flatMap((one) => one.flatMap((its) => shownNames(its.atom)));
  return atom.kind === "some" ? [atom.of] : namesIn(atom);
}

function readable(name: string, value: unknown): unknown {
  if (isHelperVerdict(name) && typeof value === "number") return verdictName(value);
  return value instanceof Uint8Array ? `(${value.length} bytes)` : value;
}
