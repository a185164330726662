import { verdictName } from "../../errno.js";
import type { Exploration, Path } from "../explorer/exploration.js";
import { conditionWords } from "../table/condition-words.js";
import type { EngineDecision } from "../witness/engine-decision.js";
import type { Input } from "../witness/input.js";
import { SymbolValues } from "../witness/symbol-values.js";

/** A decision for which a property is false, as the engine makes it. */
export interface Witness {
  readonly conditions: readonly string[];
  /** The facts, the caller's fields and the answers of helpers that the conditions name, by their names. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly decision: {
    /** `0` or `-EPERM`; in a dry run it is applied by nobody. */
    readonly enforced_verdict: string;
    readonly attachment: string | null;
    readonly reason: string | null;
    readonly fault: string | null;
  };
}

export function witnessOf(path: Path, input: Input, exploration: Exploration, decided: EngineDecision): Witness {
  const values = new SymbolValues(input, exploration.knowledge);
  const names = path.conditions.flatMap(({ atom }) => {
    if (atom.kind === "number") return atom.term.of.map(([, name]) => name);
    return atom.kind === "same" ? [atom.of, atom.other] : [atom.of];
  });
  const shown = [...new Set(names.map((name) => name.replace(/[?!]$/, "")))].map((name) => {
    const value = values.valueOf(name);
    return [name, value === undefined ? "(absent)" : readable(name, value)];
  });
  const { denied_by: denied, enforced_verdict } = decided.result;
  const outcome = denied?.attachment == null ? undefined : decided.outcomes.get(denied.attachment);
  return {
    conditions: path.conditions.map(conditionWords),
    values: Object.fromEntries(shown),
    decision: {
      enforced_verdict: verdictName(enforced_verdict),
      attachment: denied?.attachment ?? null,
      reason: denied?.reason ?? null,
      fault: outcome?.fault?.code ?? null,
    },
  };
}

function readable(name: string, value: unknown): unknown {
  if (name.startsWith("verify_") && typeof value === "number") return verdictName(value);
  return value instanceof Uint8Array ? `(${value.length} bytes)` : value;
}
