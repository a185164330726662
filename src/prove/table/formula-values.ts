import { JSON_TYPES, nullOrAbsentName } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";
import type { SymbolValues } from "../witness/symbol-values.js";
import type { Formula } from "./formula.js";

/**
 * Whether a formula is true of an input. A condition is false, and its negation true, if a value that it is about is
 * missing. But what is missing is null or absent, and can be written as text.
 */
export function holds(formula: Formula, values: SymbolValues): boolean {
  if ("all" in formula) return formula.all.every((one) => holds(one, values));
  if ("any" in formula) return formula.any.some((one) => holds(one, values));
  return conditionHolds(formula, values);
}

function conditionHolds({ atom, is }: Condition, values: SymbolValues): boolean {
  const entry = nullOrAbsentName(atom);
  if (entry !== null) return values.satisfy([{ atom: { kind: "type", of: entry, among: NOT_NULL }, is: true }]) !== is;
  if (atom.kind === "written") return values.satisfy([{ atom, is: false }]) !== is;
  return values.satisfy([{ atom, is: true }]) === is;
}

const NOT_NULL = JSON_TYPES.filter((type) => type !== "null");
