import { appliedVerdict } from "../../engine/decision/combination.js";
import type { Mode } from "../../policy/model/mode.js";

interface Decided<V> {
  readonly mode: Mode;
  readonly enforced: V;
}

/**
 * The verdicts of two configurations that are compared. Two dry runs are compared by what they would enforce; a dry run
 * and a configuration that enforces by what they apply.
 */
export function comparedVerdicts<V>(old: Decided<V>, its: Decided<V>): readonly [old: V | 0, new: V | 0] {
  if (old.mode === its.mode) return [old.enforced, its.enforced];
  return [appliedVerdict(old.mode, old.enforced), appliedVerdict(its.mode, its.enforced)];
}
