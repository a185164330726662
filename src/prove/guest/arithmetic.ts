import { written } from "../arithmetic/expression.js";
import { type Fold, foldedFurther } from "../arithmetic/fold.js";
import { OPERATIONS, type Operand } from "../arithmetic/operations.js";
import { isSafe, type Range, rangeOfNumber } from "../arithmetic/range.js";
import type { Expression } from "../shared/atom.js";
import { symbol } from "./facts.js";
import { constantTerm, type Integer, isWithin } from "./numbers.js";
import { declare, isInFold, isPart, notDecided, originate } from "./path.js";
import { linear, Sym, termOf } from "./term.js";

/** A number in an operation: a constant, an integer, or any finite number. */
interface NumberOperand extends Operand {
  readonly expression: Expression;
  readonly fold: Fold | null;
}

/** The finite number that a value is; null for any other value. */
function operandOf(value: unknown): NumberOperand | null {
  const term = termOf(value);
  if (term === null) {
    // -0 has no form in JSON
    if (typeof value !== "number" || !Number.isFinite(value) || Object.is(value, -0)) return null;
    return { expression: value, range: rangeOfNumber(value), constant: value, fold: null };
  }
  if (term.k === "double")
    return { expression: term.expression, range: term.range, constant: null, fold: term.fold ?? null };
  if (term.k !== "integer") return null;
  return { expression: linear(term), range: rangeOfInteger(term), constant: null, fold: null };
}

export function rangeOfInteger({ constant, of }: Integer): Range {
  let [least, most] = [constant, constant];
  for (const { coefficient, least: low, most: high } of of.values()) {
    least += coefficient * (coefficient > 0n ? low : high);
    most += coefficient * (coefficient > 0n ? high : low);
  }
  return { least, most, isInteger: true };
}

/**
 * A result that has no linear term is a symbol of its own, with the expression that it is the value of: the host
 * evaluates that, operation by operation as the policy does. Sums of a few bits of an integer are sums of such symbols.
 */
export function compute(operation: string, values: readonly unknown[]): unknown {
  const row = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation]! : null;
  if (row === null || values.length !== row.takes) return notDecided(`\`${operation}\` of a number that is not known`);
  const operands: NumberOperand[] = [];
  for (const value of values) {
    const its = operandOf(value);
    if (its === null) return notDecided(`\`${operation}\` of something else than finite numbers`);
    operands.push(its);
  }
  const of = operands.map((one) => one.expression);
  const isOfElement = isInFold() && isPart(written({ operation, of }));
  if (operation === "&" && !isOfElement) {
    const bits = bitsOf(operands[0]!, operands[1]!);
    if (bits !== null) return bits;
  }
  let [one, other] = [operands[0]!, operands[1] ?? operands[0]!];
  const isFolded = operands.some(({ fold }) => fold !== null);
  if (isFolded || row.range(one, other) === null) {
    const isSmall = (its: NumberOperand) => isFolded && isPart(written(its.expression));
    const small = operands.map((its, index) => (isSmall(its) ? its : smallOperand(its, values[index])));
    [one, other] = [small[0]!, small[1] ?? small[0]!];
  }
  const range = row.range(one, other);
  if (range === null) return notDecided(`\`${operation}\` of these numbers`);
  if (!isOfElement) return computed({ operation, of }, range);
  const expression = { operation, of };
  const fold = foldedFurther(operation, one, other) ?? undefined;
  return new Sym({ k: "double", name: written(expression), expression, range, ...(fold && { fold }) });
}

/** Numbers of maps are not this large on the paths on which something is computed with them that could be infinite. */
export const SMALL = 2n ** 255n;

function smallOperand(one: NumberOperand, value: unknown): NumberOperand {
  if (one.range.least >= -SMALL && one.range.most <= SMALL) return one;
  const term = termOf(value);
  if (term?.k !== "double") return one;
  if (!isWithin(alone(term.name), -SMALL, SMALL)) return notDecided("arithmetic whose result may be infinite");
  return { ...one, range: { ...one.range, least: -SMALL, most: SMALL } };
}

/** A number of any kind as a term, for comparisons. */
export function alone(name: string): Integer {
  return { k: "integer", constant: 0n, of: new Map([[name, { coefficient: 1n, least: 0n, most: 0n }]]) };
}

function computed(expression: Expression, range: Range): Sym {
  const name = nameOf(expression);
  return numberSymbol(name, expression, range);
}

/** A number that the host finds by its name: an integer if all of its values are exact. */
export function numberSymbol(name: string, expression: Expression, range: Range): Sym {
  const [least, most] = [String(range.least), String(range.most)];
  if (!isSafe(range)) {
    declare(name, { kind: range.isInteger ? "integer" : "number", least, most });
    return symbol(name, { k: "double", name, expression, range });
  }
  declare(name, { kind: "integer", least, most });
  return integerSymbol(name, range.least, range.most);
}

function integerSymbol(name: string, least: bigint, most: bigint): Sym {
  return symbol(name, { k: "integer", constant: 0n, of: new Map([[name, { coefficient: 1n, least, most }]]) });
}

function nameOf(expression: Expression): string {
  const name = written(expression);
  if (isPart(name)) notDecided("this operation with a number of each element of a list");
  originate(name, { kind: "computed", expression });
  return name;
}

const MOST_BITS = 8;

/** `number & mask` as the sum of the bits of the mask, each of which is 0 or its value; null for many bits. */
function bitsOf(one: NumberOperand, other: NumberOperand): Sym | null {
  const [number, { constant }] = one.constant === null ? [one, other] : [other, one];
  if (constant === null) return null;
  const bits = Array.from({ length: 32 }, (_, at) => 1 << at).filter((bit) => (constant & bit) !== 0);
  if (bits.length === 0 || bits.length > MOST_BITS) return null;
  const of = new Map<string, { coefficient: bigint; least: bigint; most: bigint }>();
  for (const bit of bits) {
    const name = nameOf({ operation: "&", of: [number.expression, bit] });
    const [least, most] = bit < 0 ? [BigInt(bit), 0n] : [0n, BigInt(bit)];
    declare(name, { kind: "integer", least: String(least), most: String(most), step: String(most - least) });
    of.set(name, { coefficient: 1n, least, most });
  }
  const term = { ...constantTerm(0n), of };
  return symbol(JSON.stringify(linear(term)), term);
}
