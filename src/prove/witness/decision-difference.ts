import type { DecisionEnd } from "../shared/atom.js";
import { differs, reasonDiffers } from "./confirmed-path.js";
import type { EngineDecision } from "./engine-decision.js";
import type { SymbolValues } from "./symbol-values.js";

/** How the engine's decision differs from what is expected at the end of a path; null if it does not. */
export function decisionDifference(
  end: DecisionEnd,
  values: SymbolValues,
  { result, outcomes }: EngineDecision,
): string | null {
  const { denied_by: denied, enforced_verdict: found } = result;
  const verdict = typeof end.verdict === "number" ? end.verdict : values.number(end.verdict);
  const outcome = end.by === null ? undefined : outcomes.get(end.by);
  return (
    differs("verdict", verdict, found) ??
    differs("denying attachment", end.by, denied?.attachment ?? null) ??
    differs("fault", end.fault?.code ?? null, outcome?.fault?.code ?? null) ??
    reasonDiffers(end.reason, values, outcome === undefined ? (denied?.reason ?? null) : outcome.reason)
  );
}
