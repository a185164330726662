import { evaluated, rangeOf, termsIn } from "../arithmetic/expression.js";
import { ANY_NUMBER, isSafe, type Range, rangeOfNumber } from "../arithmetic/range.js";
import type { Atom, Expression, LinearTerm, Origin } from "../shared/atom.js";

export type Is = Extract<Atom, { kind: "number" }>["is"] | "!= 0";

/** A linear term and how it compares with 0. */
export interface Constraint {
  readonly constant: bigint;
  readonly of: ReadonlyMap<string, bigint>;
  readonly is: Is;
}

/** The bounds of a symbol; null for none. */
export interface Bounds {
  least: bigint | null;
  most: bigint | null;
  /** Whether it is an integer, or is none; null for any number. */
  isInteger: boolean | null;
  /** An integer is a multiple of it. */
  readonly step: bigint;
  readonly excluded: Set<bigint>;
}

/** A symbol for what a policy computes with others. */
export interface Computed {
  readonly name: string;
  readonly expression: Expression;
}

export function constraintOf({ term, is }: Extract<Atom, { kind: "number" }>, isTrue: boolean): Constraint {
  const of = new Map(term.of.map(([coefficient, name]) => [name, BigInt(coefficient)]));
  const constant = BigInt(term.constant);
  if (isTrue) return { constant, of, is };
  if (is === "= 0") return { constant, of, is: "!= 0" };
  // not a < 0: -a <= 0
  return { constant: -constant, of: scaled(of, -1n), is: is === "< 0" ? "<= 0" : "< 0" };
}

export function scaled(of: ReadonlyMap<string, bigint>, by: bigint): Map<string, bigint> {
  return new Map([...of].map(([name, coefficient]) => [name, by * coefficient]));
}

export function compares(value: bigint, is: Is): boolean {
  switch (is) {
    case "= 0":
      return value === 0n;
    case "!= 0":
      return value !== 0n;
    case "< 0":
      return value < 0n;
    case "<= 0":
      return value <= 0n;
  }
}

/** The names of symbols, and of all that they are computed from; each after those that it is computed from. */
export function withOperands(
  names: Iterable<string>,
  origins: ReadonlyMap<string, Origin>,
): { readonly names: readonly string[]; readonly computed: readonly Computed[] } {
  const found = new Set<string>();
  const computed: Computed[] = [];
  const add = (name: string) => {
    if (found.has(name)) return;
    const origin = origins.get(name);
    if (origin?.kind === "computed") {
      for (const { of } of termsIn(origin.expression)) for (const [, operand] of of) add(operand);
      computed.push({ name, expression: origin.expression });
    }
    found.add(name);
  };
  for (const name of names) add(name);
  return { names: [...found], computed };
}

/** What is known about computed symbols: their ranges, and equations for what is computed exactly. */
export function narrowComputed(computed: readonly Computed[], bounds: ReadonlyMap<string, Bounds>): Constraint[] {
  const ofTerm = (term: LinearTerm) => rangeOfTerm(term, bounds);
  return computed.flatMap(({ name, expression }): readonly Constraint[] => {
    const its = bounds.get(name)!;
    const range = valueRange(expression, ofTerm) ?? rangeOf(expression, ofTerm);
    if (range === null) return [];
    if (its.least === null || range.least > its.least) its.least = range.least;
    if (its.most === null || range.most < its.most) its.most = range.most;
    const sum = exactSum(expression, ofTerm);
    if (sum !== null) return [{ ...plus(sum, { constant: 0n, of: new Map([[name, 1n]]) }, -1n), is: "= 0" }];
    return bitsBelow(name, expression, ofTerm);
  });
}

type Ranges = (term: LinearTerm) => Range;

/** The range of one value, if all operands have only one. */
function valueRange(expression: Expression, ofTerm: Ranges): Range | null {
  const isFixed = termsIn(expression).every((term) => {
    const range = ofTerm(term);
    return range.least === range.most && isSafe(range);
  });
  if (!isFixed) return null;
  const value = evaluated(expression, (term) => Number(ofTerm(term).least));
  return Number.isFinite(value) ? rangeOfNumber(value) : null;
}

/** The bits of a number that is not negative are at most that number. */
function bitsBelow(name: string, expression: Expression, ofTerm: Ranges): readonly Constraint[] {
  if (typeof expression === "number" || "constant" in expression || expression.operation !== "&") return [];
  const [number, mask] = expression.of;
  if (typeof mask !== "number" || mask < 0) return [];
  const sum = exactSum(number!, ofTerm);
  const range = sum && rangeOf(number!, ofTerm);
  if (sum === null || range === null || range.least < 0n) return [];
  return [{ ...plus({ constant: 0n, of: new Map([[name, 1n]]) }, sum, -1n), is: "<= 0" }];
}

function rangeOfTerm({ constant, of }: LinearTerm, bounds: ReadonlyMap<string, Bounds>): Range {
  let [least, most, isInteger] = [BigInt(constant), BigInt(constant), true];
  for (const [by, name] of of) {
    const its = bounds.get(name)!;
    const [low, high] = [its.least ?? ANY_NUMBER.least, its.most ?? ANY_NUMBER.most];
    const times = BigInt(by);
    least += times * (times > 0n ? low : high);
    most += times * (times > 0n ? high : low);
    isInteger &&= its.isInteger === true;
  }
  return { least, most, isInteger };
}

export type Sum = Pick<Constraint, "constant" | "of">;

/** An expression as a sum, if no operation in it rounds. */
function exactSum(expression: Expression, ofTerm: Ranges): Sum | null {
  if (typeof expression === "number")
    return Number.isSafeInteger(expression) ? { constant: BigInt(expression), of: new Map() } : null;
  if ("constant" in expression) return isSafe(ofTerm(expression)) ? sumOf(expression) : null;
  const range = rangeOf(expression, ofTerm);
  const sums = expression.of.map((one) => exactSum(one, ofTerm));
  if (range === null || !isSafe(range) || sums.includes(null)) return null;
  const [one, other] = sums as [Sum, Sum];
  switch (expression.operation) {
    case "+":
      return plus(one, other, 1n);
    case "-":
      return plus(one, other, -1n);
    case "*":
      if (one.of.size === 0) return plus({ constant: 0n, of: new Map() }, other, one.constant);
      return other.of.size === 0 ? plus({ constant: 0n, of: new Map() }, one, other.constant) : null;
    case "Math.floor":
    case "Math.ceil":
    case "Math.trunc":
    case "Math.round":
      return one;
    default:
      return null;
  }
}

export function sumOf({ constant, of }: LinearTerm): Sum {
  return { constant: BigInt(constant), of: new Map(of.map(([by, name]) => [name, BigInt(by)])) };
}

export function plus(left: Sum, right: Sum, times: bigint): Sum {
  const of = new Map(left.of);
  for (const [name, by] of right.of) {
    const sum = (of.get(name) ?? 0n) + times * by;
    if (sum === 0n) of.delete(name);
    else of.set(name, sum);
  }
  return { constant: left.constant + times * right.constant, of };
}
