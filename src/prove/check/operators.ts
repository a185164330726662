import { JSON_TYPES } from "../shared/atom.js";
import { isNullish, joined, number, settled, textParts, view } from "./facts.js";
import { notEvaluated, type Operand, type Path } from "./path.js";
import {
  constant,
  isInheritedFunction,
  isPrimitive,
  linear,
  numberOf,
  plus,
  type Sum,
  Sym,
  type Unknown,
  unknownOf,
} from "./value.js";

const MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** ToBoolean (ECMA-262, 7.1.2). */
export function truthy(path: Path, value: unknown): boolean {
  const seen = view(path, value);
  const its = unknownOf(seen);
  if (its?.kind === "text") return !isEqual(path, seen, "");
  if (its?.kind === "number") return !isEqual(path, seen, 0);
  if (its?.kind === "joined")
    return its.parts.some((part) => typeof part === "string") || notEvaluated("a text's length");
  if (its?.kind !== "json") return Boolean(seen);
  if (path.askType(its.name, ["null", "false"])) return false;
  return path.askType(its.name, ["true", "array", "object"]) || truthy(path, settled(path, seen));
}

/** Whether a sum is 0, below 0, or at most 0. */
export function compares(path: Path, sum: Sum, is: "= 0" | "< 0" | "<= 0" = "= 0"): boolean {
  if (sum.of.size > 0) return path.ask({ kind: "number", term: linear(sum), is });
  return is === "= 0" ? sum.constant === 0n : is === "< 0" ? sum.constant < 0n : sum.constant <= 0n;
}

/** A number as a sum; null for any other value. */
function sumOf(value: unknown): Sum | null {
  const its = unknownOf(value);
  if (its !== null) return its.kind === "number" ? its.sum : null;
  return Number.isSafeInteger(value) ? constant(BigInt(value as number)) : null;
}

/** IsStrictlyEqual (ECMA-262, 7.2.15). */
export function isEqual(path: Path, left: unknown, right: unknown): boolean {
  const [one, other] = [view(path, left), view(path, right)];
  const [a, b] = [unknownOf(one), unknownOf(other)];
  if (a === null && b === null) return one === other;
  if (a?.kind === "json") return equalsJson(path, a.name, other);
  if (b?.kind === "json") return equalsJson(path, b.name, one);
  if (b === null) return equalsValue(path, a!, other);
  if (a === null) return equalsValue(path, b, one);
  if (a.kind === "number" && b.kind === "number") return compares(path, plus(a.sum, b.sum, -1n));
  if (a.kind !== "text" || b.kind !== "text") return notEvaluated("a comparison of these values");
  const [of, second] = [a.name, b.name].sort() as [string, string];
  return of === second || path.ask({ kind: "same", of, other: second });
}

/** IsLooselyEqual, with null or undefined only. */
export function isLooselyEqual(path: Path, left: unknown, right: unknown): boolean {
  const isWithNull = (left ?? null) === null || (right ?? null) === null;
  return isWithNull ? isNullish(path, right ?? left) : notEvaluated("`==` or `!=` of other values than null");
}

/** A JSON value of a type that is not known is equal only to a value of that type, and to no object. */
function equalsJson(path: Path, name: string, value: unknown): boolean {
  const its = unknownOf(value);
  if (its?.kind === "json") return notEvaluated("a comparison of two values of maps");
  const isNamed = value === null || typeof value === "boolean";
  const type = isNamed ? String(value) : its === null ? typeof value : typeName(value);
  const known = (["null", "true", "false", "number", "string"] as const).find((one) => one === type);
  return known !== undefined && path.askType(name, [known]) && isEqual(path, new Sym({ kind: "json", name }), value);
}

function equalsValue(path: Path, its: Unknown, value: unknown): boolean {
  if (its.kind === "text") return typeof value === "string" && path.ask({ kind: "equals", of: its.name, text: value });
  if (its.kind === "joined" && typeof value === "string") return notEvaluated("a comparison of a composed text");
  if (its.kind !== "number" || typeof value !== "number") return false;
  if (!Number.isSafeInteger(value)) return notEvaluated("a comparison with a number that is not a small integer");
  return compares(path, plus(its.sum, constant(BigInt(value)), -1n));
}

/** The operators of two values, apart from equality. */
export function computed(path: Path, operator: string, left: unknown, right: unknown): unknown {
  const sum = accumulatedWith(path, operator, left, right);
  if (sum !== null) return sum;
  const [one, other] = [settled(path, left), settled(path, right)];
  if (operator === "+" && (isTextOrMap(one) || isTextOrMap(other)))
    return joined([...textParts(path, one), ...textParts(path, other)]);
  if (Object.hasOwn(ORDERS, operator)) return isBefore(path, operator, one, other);
  return arithmetic(path, operator, numeric(one), numeric(other));
}

/** A value as a number, if it is neither a text nor an object (ToNumber, ECMA-262, 7.1.4). */
function numeric(value: unknown): number | Sym {
  const its = unknownOf(value);
  if (its?.kind === "number") return value as Sym;
  return its === null && isPrimitive(value) && typeof value !== "string"
    ? Number(value)
    : notEvaluated("arithmetic with something else than numbers");
}

/** Whether a value is added as a text: arrays and objects of maps are. */
function isTextOrMap(value: unknown): boolean {
  return typeof value === "string" || ["text", "joined", "json"].includes(unknownOf(value)?.kind ?? "");
}

/** Whether `left - right`, or the reverse, is below 0 or at most 0; and the same of the operands in reverse order. */
const ORDERS: Readonly<Record<string, { is: "< 0" | "<= 0"; isReverse: boolean; turned: string }>> = {
  "<": { is: "< 0", isReverse: false, turned: ">" },
  "<=": { is: "<= 0", isReverse: false, turned: ">=" },
  ">": { is: "< 0", isReverse: true, turned: "<" },
  ">=": { is: "<= 0", isReverse: true, turned: "<=" },
};

/** IsLessThan (ECMA-262, 7.2.13) with numbers, and of texts with constant numbers. */
function isBefore(path: Path, operator: string, left: unknown, right: unknown): boolean {
  const { is, isReverse, turned } = ORDERS[operator]!;
  if (isTextOrMap(left)) return comparesText(path, operator, left, right);
  if (isTextOrMap(right)) return comparesText(path, turned, right, left);
  // The text of a function is no number
  const [one, other] = [left, right].map((its) => (isInheritedFunction(its) ? Number.NaN : numeric(its)));
  if (Number.isNaN(one) || Number.isNaN(other)) return false;
  const [first, second] = isReverse ? [other, one] : [one, other];
  return compares(path, differenceOf(first, second), is);
}

/** Whether a text, or an array or object as a text, is as a number in this order with a constant number. */
function comparesText(path: Path, operator: string, text: unknown, constant: unknown): boolean {
  const isNumber = isPrimitive(constant) && typeof constant !== "string";
  if (!isNumber) return notEvaluated(`\`${operator}\` of a text and something else than a constant number`);
  const to = Number(constant);
  if (typeof text === "string") return COMPARED[operator]!(Number(text), to);
  const [part, ...others] = textParts(path, text);
  // The text of an object is no number
  if (part === "[object Object]" || Number.isNaN(to)) return false;
  const of =
    typeof part !== "object" || others.length > 0
      ? null
      : "text" in part
        ? part.text
        : "json" in part
          ? part.json
          : null;
  if (of === null) return notEvaluated(`\`${operator}\` of a composed text`);
  return path.ask({ kind: "compares", of, text: `${operator} ${to}` });
}

/** `left - right` times a power of 2 that makes it a sum of integers. */
function differenceOf(left: unknown, right: unknown): Sum {
  const parts = [left, right].map((value) => {
    const its = unknownOf(value);
    if (its !== null) return its.kind === "number" ? { sum: its.sum, shift: 0 } : notEvaluated("this comparison");
    let [whole, shift] = [value as number, 0];
    if (!Number.isFinite(whole)) return notEvaluated("a comparison with infinity");
    for (; !Number.isInteger(whole); whole *= 2) shift += 1;
    return { sum: constant(BigInt(whole)), shift };
  });
  const most = Math.max(...parts.map(({ shift }) => shift));
  const [a, b] = parts.map(({ sum, shift }) => plus(constant(0n), sum, 1n << BigInt(most - shift))) as [Sum, Sum];
  return plus(a, b, -1n);
}

/** Operators of numbers that all engines compute alike (ECMA-262, 6.1.6.1). */
const OF_NUMBERS: Readonly<Record<string, (one: number, other: number) => number>> = {
  "+": (one, other) => one + other,
  "-": (one, other) => one - other,
  "*": (one, other) => one * other,
  "/": (one, other) => one / other,
  "%": (one, other) => one % other,
  "<<": (one, other) => one << other,
  ">>": (one, other) => one >> other,
  ">>>": (one, other) => one >>> other,
  "&": (one, other) => one & other,
  "|": (one, other) => one | other,
  "^": (one, other) => one ^ other,
};

function arithmetic(path: Path, operator: string, one: number | Sym, other: number | Sym): unknown {
  const apply = OF_NUMBERS[operator];
  if (apply === undefined) return notEvaluated(`the operator \`${operator}\``);
  if (typeof one === "number" && typeof other === "number") return apply(one, other);
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.NaN;
  const [a, b] = [sumOf(one), sumOf(other)];
  const sum = a && b && linearly(operator, a, b);
  return sum !== null && isExact(path, sum) ? numberOf(sum) : rounded(path, operator, one, other);
}

/** The result as a sum, if it is one. */
function linearly(operator: string, a: Sum, b: Sum): Sum | null {
  if (operator === "+" || operator === "-") return plus(a, b, operator === "+" ? 1n : -1n);
  if (operator !== "*" || (a.of.size > 0 && b.of.size > 0)) return null;
  const [sum, by] = a.of.size === 0 ? [b, a.constant] : [a, b.constant];
  // 0 times a negative number is -0, which no integer is
  return by === 0n ? notEvaluated("a product with 0") : plus(constant(0n), sum, by);
}

/** Whether all that a sum can be are integers which a double represents exactly, with all smaller ones. */
function isExact(path: Path, sum: Sum): boolean {
  const { least, most, isInteger } = rangeOf(path, sum);
  return isInteger && least >= -MOST && most <= MOST;
}

/** In which range a number is. */
interface Range {
  readonly least: bigint;
  readonly most: bigint;
  readonly isInteger: boolean;
}

/** The largest finite number. */
const LARGEST = BigInt(Number.MAX_VALUE);

export function rangeOf(path: Path, { constant, of }: Sum): Range {
  let [least, most, isInteger] = [constant, constant, true];
  for (const [name, by] of of) {
    const domain = path.symbols.domains.get(name);
    if (domain === undefined || domain.kind === "text") return notEvaluated("arithmetic with this value");
    const [low, high] = [domain.least ?? -LARGEST, domain.most ?? LARGEST];
    isInteger &&= domain.kind === "integer";
    least += by * (by > 0n ? low : high);
    most += by * (by > 0n ? high : low);
  }
  return { least, most, isInteger };
}

/** The range of the results before they are rounded. */
const RANGES: Readonly<Record<string, (a: Range, b: Range) => readonly bigint[]>> = {
  "+": (a, b) => [a.least + b.least, a.most + b.most],
  "-": (a, b) => [a.least - b.most, a.most - b.least],
  "*": (a, b) => [a.least * b.least, a.least * b.most, a.most * b.least, a.most * b.most],
  "/": (a, { least: by }) => [a.least, a.most].flatMap((end) => [end / by - 1n, end / by + 1n]),
};

/** The symbol for a result that may be rounded. Rounding keeps the order of numbers, and that they are integers. */
function rounded(path: Path, operator: string, one: number | Sym, other: number | Sym): Sym {
  const [a, b] = [one, other].map((its): Range => {
    const sum = unknownOf(its);
    if (sum?.kind === "number") return rangeOf(path, sum.sum);
    const [least, most] = [Math.floor(its as number), Math.ceil(its as number)];
    if (!Number.isFinite(its)) return notEvaluated("arithmetic with infinity");
    return { least: BigInt(least), most: BigInt(most), isInteger: least === most };
  }) as [Range, Range];
  const isQuotient = operator === "/";
  if (isQuotient && (!Number.isInteger(other) || other === 0)) return notEvaluated("a division by this value");
  const ends = RANGES[operator]?.(a, b).map(Number) ?? notEvaluated(`\`${operator}\` of numbers that are not known`);
  if (!ends.every(Number.isFinite)) return notEvaluated("arithmetic whose result may be infinite");
  const [least, most] = [BigInt(Math.min(...ends)), BigInt(Math.max(...ends))];
  const operands = [one, other].map((its) => {
    const sum = unknownOf(its);
    return sum?.kind === "number" ? linear(sum.sum) : (its as number);
  }) as [Operand, Operand];
  const name = `(${operands.map(operandName).join(` ${operator} `)})`;
  path.symbols.places.set(name, { operator, operands });
  const kind = a.isInteger && b.isInteger && !isQuotient ? "integer" : "number";
  return number(path, name, { kind, least, most });
}

function operandName(operand: Operand): string {
  if (typeof operand === "number") return String(operand);
  const [only, ...others] = operand.of;
  return operand.constant === "0" && others.length === 0 && only?.[0] === "1" ? only[1] : JSON.stringify(operand);
}

/** What a witness gives for a symbol of {@link rounded}. */
export function ofOperands(operator: string, one: number, other: number): number {
  return OF_NUMBERS[operator]!(one, other);
}

/** Comparisons of numbers, as conditions on texts name them. */
export const COMPARED: Readonly<Record<string, (one: number, other: number) => boolean>> = {
  "<": (one, other) => one < other,
  "<=": (one, other) => one <= other,
  ">": (one, other) => one > other,
  ">=": (one, other) => one >= other,
};

/**
 * A sum with a variable that a loop over a list changes: the variable's value before is not known. Null if neither is
 * one.
 */
function accumulatedWith(path: Path, operator: string, left: unknown, right: unknown): Sym | null {
  const [one, other] = [unknownOf(left), unknownOf(right)];
  if (one?.kind !== "accumulated" && other?.kind !== "accumulated") return null;
  const [its, added] = one?.kind === "accumulated" ? [one, right] : [other as typeof one, left];
  const sum = sumOf(settled(path, added));
  if (its?.kind !== "accumulated" || sum === null || !rangeOf(path, sum).isInteger || operator !== "+")
    return notEvaluated("what a loop over a list does with a variable");
  return new Sym({ ...its, terms: [...its.terms, sum] });
}

export function unary(path: Path, operator: string, value: unknown): unknown {
  if (operator === "!") return !truthy(path, value);
  const its = settled(path, value);
  if (operator === "typeof") return typeName(its);
  if (operator !== "-") return notEvaluated(`the operator \`${operator}\``);
  if (typeof its === "number") return -its;
  const number = unknownOf(its);
  return number?.kind === "number" ? arithmetic(path, "*", its as Sym, -1) : notEvaluated("`-` of this value");
}

function typeName(value: unknown): string {
  const its = unknownOf(value);
  if (its === null) return isPrimitive(value) ? typeof value : notEvaluated("the type of an object of the policy");
  if (its.kind === "text" || its.kind === "joined") return "string";
  return its.kind === "number" ? "number" : "object";
}

/** The results of `typeof` that are not the name of the type. */
const TYPES: Readonly<Record<string, string>> = { null: "object", true: "boolean", false: "boolean", array: "object" };

/** `typeof value === type`. */
export function hasType(path: Path, value: unknown, type: string): boolean {
  const seen = view(path, value);
  const its = unknownOf(seen);
  const types = JSON_TYPES.filter((one) => (TYPES[one] ?? one) === type);
  return its?.kind === "json" ? path.askType(its.name, types) : typeName(seen) === type;
}

/** Whether a value is an integer from `least` to `most`; what it is as a sum, or null if it is none. */
export function integerWithin(path: Path, value: unknown, least: bigint, most: bigint): Sum | null {
  const sum = sumOf(settled(path, value));
  if (sum === null) return null;
  if (!isExact(path, sum)) return notEvaluated("a number that is not bounded");
  if (compares(path, plus(sum, constant(least), -1n), "< 0")) return null;
  return compares(path, plus(constant(most), sum, -1n), "< 0") ? null : sum;
}
