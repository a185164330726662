import type { Exploration, Path } from "../explorer/exploration.js";
import { conditionWords } from "../table/condition-words.js";
import type { EngineDecision } from "../witness/engine-decision.js";
import { Example } from "../witness/example.js";
import type { Input } from "../witness/input.js";
import { type ShownDecision, shownDecision, shownValues } from "../witness/shown-decision.js";

/** A decision for which a property is false, as the engine makes it. */
export interface Witness {
  readonly conditions: readonly string[];
  /** The facts, the caller's fields and the answers of helpers that the conditions name, by their names. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly decision: ShownDecision;
  readonly example: Example;
}

export function witnessOf(path: Path, input: Input, exploration: Exploration, decided: EngineDecision): Witness {
  return {
    conditions: path.conditions.map(conditionWords),
    values: shownValues(path, input, exploration),
    decision: shownDecision(decided),
    example: new Example(path, input, exploration),
  };
}
