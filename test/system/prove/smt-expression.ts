import type { Expression, LinearTerm } from "../../../src/prove/shared/atom.js";

type Sort = "Int" | "Real";

/** A number in SMT-LIB. */
export interface SmtNumber {
  readonly text: string;
  readonly sort: Sort;
}

/** What a definition needs: the number of a term, and a new symbol that no condition names. */
export interface SmtNumbers {
  readonly numberOf: (term: LinearTerm) => SmtNumber;
  readonly fresh: (sort: Sort) => string;
  /** Asserts something. */
  readonly say: (text: string) => void;
}

/**
 * Says what the value of an expression is, and returns it. Exact results of 2^53 and more are rounded by JavaScript:
 * nothing is said about these, nor about operations that have no definition here. Returns whether all is said.
 */
export function define(
  expression: Expression,
  numbers: SmtNumbers,
): { readonly number: SmtNumber; readonly isAll: boolean } {
  if (typeof expression === "number") {
    const isInteger = Number.isInteger(expression);
    const text = isInteger ? integer(BigInt(expression)) : numbers.fresh("Real");
    return { number: { text, sort: isInteger ? "Int" : "Real" }, isAll: isInteger };
  }
  if ("constant" in expression) return { number: numbers.numberOf(expression), isAll: true };
  const { operation, of } = expression;
  const operands = of.map((one) => define(one, numbers).number);
  const isReal = operands.some(({ sort }) => sort === "Real");
  const [one, other] = operands.map(({ text, sort }) => (isReal && sort === "Int" ? `(to_real ${text})` : text));
  const [, mask] = of;
  if (["+", "-", "*"].includes(operation)) {
    const result = numbers.fresh(isReal ? "Real" : "Int");
    const exact = `(${operation} ${one} ${other})`;
    // The sum of fractions may be rounded wherever it is
    if (!isReal) numbers.say(`(=> (and (<= (- ${LIMIT}) ${exact}) (<= ${exact} ${LIMIT})) (= ${result} ${exact}))`);
    return { number: { text: result, sort: isReal ? "Real" : "Int" }, isAll: false };
  }
  if (operation === "Math.floor" || operation === "Math.trunc") {
    if (!isReal) return { number: { text: one!, sort: "Int" }, isAll: false };
    const floor = `(to_int ${one})`;
    return {
      number: {
        text: operation === "Math.floor" ? floor : `(ite (>= ${one} 0.0) ${floor} (- (to_int (- ${one}))))`,
        sort: "Int",
      },
      isAll: false,
    };
  }
  if (operation === "&" && typeof mask === "number" && mask > 0 && (mask & -mask) === mask && !isReal)
    return { number: { text: `(* ${mask} (mod (div ${one} ${mask}) 2))`, sort: "Int" }, isAll: true };
  return { number: { text: numbers.fresh("Real"), sort: "Real" }, isAll: false };
}

const LIMIT = String(2n ** 53n);

export function integer(value: bigint): string {
  return value < 0n ? `(- ${-value})` : String(value);
}
