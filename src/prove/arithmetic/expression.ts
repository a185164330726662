import type { Expression, LinearTerm } from "../shared/atom.js";
import { OPERATIONS, type Operand } from "./operations.js";
import { type Range, rangeOfNumber } from "./range.js";

/** The value of an expression as JavaScript computes it; `ofTerm` gives that of a term, which is exact. */
export function evaluated(expression: Expression, ofTerm: (term: LinearTerm) => number): number {
  if (typeof expression === "number") return expression;
  if ("constant" in expression) return ofTerm(expression);
  const [one, other] = expression.of.map((its) => evaluated(its, ofTerm));
  return OPERATIONS[expression.operation]!.value(one!, other!);
}

/** The range of an expression's values; null if one of them may be no finite number. */
export function rangeOf(expression: Expression, rangeOfTerm: (term: LinearTerm) => Range | null): Range | null {
  if (typeof expression === "number") return rangeOfNumber(expression);
  if ("constant" in expression) return rangeOfTerm(expression);
  const operands: Operand[] = [];
  for (const its of expression.of) {
    const range = rangeOf(its, rangeOfTerm);
    if (range === null) return null;
    operands.push({ range, constant: typeof its === "number" ? its : null });
  }
  return OPERATIONS[expression.operation]!.range(operands[0]!, operands[1] ?? operands[0]!);
}

/** The terms in an expression. */
export function termsIn(expression: Expression): readonly LinearTerm[] {
  if (typeof expression === "number") return [];
  return "constant" in expression ? [expression] : expression.of.flatMap(termsIn);
}

/** An expression as JavaScript has it: the name of the symbol for its value. */
export function written(expression: Expression): string {
  if (typeof expression === "number") return String(expression);
  if ("constant" in expression) return termWritten(expression);
  const { operation, of } = expression;
  const words = of.map(written);
  return operation.startsWith("Math.") ? `${operation}(${words.join(", ")})` : `(${words.join(` ${operation} `)})`;
}

function termWritten({ constant, of }: LinearTerm): string {
  const summands = of.map(([by, name]) => (by === "1" ? name : `${by} * ${name}`));
  if (constant !== "0" || of.length === 0) summands.push(constant);
  return summands.length === 1 && of[0]?.[0] === "1" ? summands[0]! : `(${summands.join(" + ")})`;
}
