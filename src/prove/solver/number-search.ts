import { doubleOf, scaled as multipleOf, withoutExcess } from "../arithmetic/exact-number.js";
import { evaluated } from "../arithmetic/expression.js";
import type { Expression, LinearTerm } from "../shared/atom.js";
import { type Bounds, type Computed, type Constraint, compares, plus, type Sum, sumOf } from "./constraints.js";
import type { Effort } from "./effort.js";

const MOST_ROUNDS = 20_000;

/** The numbers of a problem, with what is known about them. */
export interface NumberProblem {
  readonly names: readonly string[];
  readonly constraints: readonly Constraint[];
  readonly bounds: ReadonlyMap<string, Bounds>;
  readonly computed: readonly Computed[];
}

/**
 * Tries the bounds, the numbers beside those that are excluded, and the solutions of each constraint. Values are
 * multiples of 2^-1074 if some can be fractions, as all doubles are, and otherwise integers. Null if none are found.
 */
export function searchNumbers(problem: NumberProblem, effort: Effort): ReadonlyMap<string, number> | null {
  const { names, constraints, computed } = problem;
  // What is computed is chosen first, or follows from the values that it is computed from
  const named = new Set(constraints.flatMap(({ of }) => [...of.keys()]));
  const first = names.filter((name) => named.has(name));
  const orders =
    computed.length === 0 ? [names] : [[...first, ...names.filter((name) => !named.has(name)).reverse()], names];
  for (const order of orders) {
    const found = new NumberSearch(problem, order, effort).run();
    if (found !== null) return found;
  }
  return null;
}

class NumberSearch {
  readonly #values = new Map<string, bigint>();
  readonly #unit: bigint;
  readonly #isFractional: boolean;
  readonly #computed: ReadonlyMap<string, Expression>;
  /** Constraints that computed symbols nearly satisfy: they give values to try. */
  readonly #hints: readonly Constraint[];
  #rounds = 0;

  constructor(
    private readonly problem: NumberProblem,
    private readonly order: readonly string[],
    private readonly effort: Effort,
  ) {
    const { computed, constraints, bounds } = problem;
    this.#computed = new Map(computed.map(({ name, expression }) => [name, expression]));
    this.#isFractional = [...bounds].some(([name, { isInteger }]) => {
      const hasFractions = constraints.some(
        (one) => one.of.size === 1 && one.constant % (one.of.get(name) ?? 1n) !== 0n,
      );
      return isInteger === false || (isInteger === null && (computed.length > 0 || hasFractions));
    });
    this.#unit = this.#isFractional ? 1n << 1074n : 1n;
    this.#hints = computed.flatMap(({ name, expression }) => {
      const near = nearly(expression);
      return near === null
        ? []
        : [{ ...plus(near, { constant: 0n, of: new Map([[name, near.times]]) }, -1n), is: "= 0" as const }];
    });
  }

  run(): ReadonlyMap<string, number> | null {
    if (!this.#choose(0)) return null;
    const found = [...this.#values].filter(([name]) => !this.#computed.has(name));
    return new Map(found.map(([name, value]) => [name, this.#double(value)!]));
  }

  #choose(index: number): boolean {
    const { constraints } = this.problem;
    const name = this.order[index];
    if (name === undefined)
      return constraints.every((one) => compares(this.#valueOf(one), one.is)) && this.#areComputed();
    for (const value of this.#tries(name)) {
      if (++this.#rounds > MOST_ROUNDS || !this.effort.spend()) return false;
      this.#values.set(name, value);
      if (this.#choose(index + 1)) return true;
    }
    this.#values.delete(name);
    return false;
  }

  /** Whether the computed symbols have the values that JavaScript computes. */
  #areComputed(): boolean {
    for (const [name, expression] of this.#computed)
      if (this.#evaluated(expression) !== this.#values.get(name)) return false;
    return true;
  }

  /** The value of an expression; null if an operand has none yet, or is no double. */
  #evaluated(expression: Expression): bigint | null {
    try {
      const value = evaluated(expression, (term) => this.#number(term));
      if (!this.#isFractional) return Number.isInteger(value) ? BigInt(value) : null;
      return Number.isFinite(value) ? multipleOf(value) : null;
    } catch (error) {
      if (error instanceof NoValue) return null;
      throw error;
    }
  }

  #number(term: LinearTerm): number {
    if (term.of.some(([, name]) => !this.#values.has(name))) throw new NoValue();
    const value = this.#double(this.#valueOf(sumOf(term)));
    if (value === null) throw new NoValue();
    return value;
  }

  #double(value: bigint): number | null {
    return this.#isFractional ? doubleOf(value) : Number(value);
  }

  #valueOf({ constant, of }: Sum): bigint {
    let sum = constant * this.#unit;
    for (const [name, coefficient] of of) sum += coefficient * (this.#values.get(name) ?? 0n);
    return sum;
  }

  #tries(name: string): Iterable<bigint> {
    const expression = this.#computed.get(name);
    const value = expression === undefined ? null : this.#evaluated(expression);
    if (value !== null) return [value];
    const { constraints, bounds } = this.problem;
    const its = bounds.get(name)!;
    const { least, most, excluded } = its;
    const [unit, found] = [this.#unit, new Set<bigint>()];
    const add = (one: bigint) => {
      if (this.#isPossible(one, its)) found.add(one);
    };
    const around = (one: bigint) => {
      if (this.#isFractional && its.isInteger !== false) add(one - (one % unit));
      for (const by of [0n, 1n, -1n]) add(one + by * unit);
      if (this.#isFractional && its.isInteger !== true) for (const by of [1n, -1n]) add(one + (by * unit) / 2n);
    };
    // The likeliest errno first: they are the documented ones of verifications
    if (least === -4095n) for (const errno of [0n, 61n, 126n, 129n, 128n, 127n, 74n, 65n]) add(-errno * unit);
    around(0n);
    const roots: bigint[] = [];
    for (const constraint of [...constraints, ...this.#hints]) {
      const coefficient = constraint.of.get(name);
      if (coefficient === undefined) continue;
      const rest = this.#valueOf({ ...constraint, of: new Map([...constraint.of].filter(([one]) => one !== name)) });
      const root = -rest / coefficient;
      roots.push(root);
      around(root);
    }
    if (this.#isFractional) for (const one of roots) for (const other of roots) add(withoutExcess((one + other) / 2n));
    for (const one of this.#masks(name)) add(one * unit);
    for (const one of excluded) around(one * unit);
    if (least !== null) around(least * unit);
    if (most !== null) around(most * unit);
    if (least !== null) for (let by = 0n; by < 64n; by++) add((least + by) * unit);
    return found;
  }

  #isPossible(value: bigint, { least, most, isInteger, step, excluded }: Bounds): boolean {
    const unit = this.#unit;
    if ((least !== null && value < least * unit) || (most !== null && value > most * unit)) return false;
    const isWhole = value % unit === 0n;
    if (isWhole ? isInteger === false : isInteger === true) return false;
    if (isWhole && (excluded.has(value / unit) || (value / unit) % step !== 0n)) return false;
    return this.#isDouble(value);
  }

  #isDouble(value: bigint): boolean {
    return this.#isFractional ? doubleOf(value) !== null : BigInt(Number(value)) === value;
  }

  /** Integers with the bits that were chosen for operations on them: these alone, and with all other bits. */
  *#masks(name: string): Generator<bigint> {
    let [chosen, clear, isMasked] = [0n, 0n, false];
    for (const [result, expression] of this.#computed) {
      if (typeof expression === "number" || "constant" in expression || expression.operation !== "&") continue;
      const [number, mask] = expression.of;
      const isIts =
        typeof number === "object" && "constant" in number && number.of.length === 1 && number.of[0]![1] === name;
      if (!isIts || typeof mask !== "number") continue;
      const bits = BigInt(mask >>> 0);
      isMasked = true;
      const value = this.#values.get(result);
      if (value) chosen |= bits & BigInt.asUintN(32, value / this.#unit);
      else clear |= bits;
      yield bits & -bits;
    }
    if (!isMasked) return;
    yield chosen;
    yield (2n ** 32n - 1n) & ~clear;
  }
}

class NoValue extends Error {}

/** A sum that is near to `times` the value of an expression; null if none is known. */
function nearly(expression: Expression): (Sum & { readonly times: bigint }) | null {
  if (typeof expression === "number")
    return Number.isInteger(expression) ? { constant: BigInt(expression), of: new Map(), times: 1n } : null;
  if ("constant" in expression) return { ...sumOf(expression), times: 1n };
  const [one, other] = expression.of.map(nearly);
  if (one == null) return null;
  const zero = { constant: 0n, of: new Map() };
  switch (expression.operation) {
    case "+":
    case "-": {
      if (other == null) return null;
      const sign = expression.operation === "+" ? 1n : -1n;
      return { ...plus(plus(zero, one, other.times), other, sign * one.times), times: one.times * other.times };
    }
    case "*": {
      if (other == null) return null;
      const [sum, by] = other.of.size === 0 ? [one, other] : [other, one];
      return by.of.size > 0 ? null : { ...plus(zero, sum, by.constant), times: sum.times * by.times };
    }
    case "/":
      return other == null || other.of.size > 0 || other.constant <= 0n
        ? null
        : { ...plus(zero, one, other.times), times: one.times * other.constant };
    case "|":
    case "^":
    case "&":
      return null;
    default:
      return one;
  }
}
