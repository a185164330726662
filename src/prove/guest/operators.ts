import { OPERATIONS } from "../arithmetic/operations.js";
import { isSafe } from "../arithmetic/range.js";
import type { TextPart } from "../shared/atom.js";
import { alone, compute, rangeOfInteger } from "./arithmetic.js";
import { view } from "./facts.js";
import { isInheritedFunction, propertyExists } from "./members.js";
import { combined, constantTerm, type Integer, multiple, testNumber } from "./numbers.js";
import { at, notDecided, test, testType, typesOf } from "./path.js";
import { partsOf, Sym, type Term, termOf } from "./term.js";
import { testTexts } from "./text-tests.js";
import { isNullish, isPrimitive, joined, settled, textParts } from "./values.js";

export function binary(place: number, operator: string, left: unknown, right: unknown): unknown {
  at(place);
  switch (operator) {
    case "===":
      return isEqual(left, right, true);
    case "!==":
      return !isEqual(left, right, true);
    case "==":
      return isEqual(left, right, false);
    case "!=":
      return !isEqual(left, right, false);
    case "in":
      return propertyExists(right, left);
    case "instanceof":
      return notDecided("`instanceof`");
    default:
      return computed(operator, ...operands(operator, left, right));
  }
}

/**
 * Both operands, with types that are known on this path. A JSON value beside a number that is not known is a number or,
 * on one path for all other types together, not decided.
 */
function operands(operator: string, left: unknown, right: unknown): readonly [unknown, unknown] {
  const one = isUnknownNumber(right) ? operandBesideNumber(operator, left) : settled(left);
  return [one, isUnknownNumber(one) ? operandBesideNumber(operator, right) : settled(right)];
}

function isUnknownNumber(value: unknown): boolean {
  const term = termOf(value);
  return term?.k === "integer" || term?.k === "double";
}

function operandBesideNumber(operator: string, value: unknown): unknown {
  const its = view(value);
  const term = termOf(its);
  const what = Object.hasOwn(ORDERS, operator) ? "numbers" : Object.hasOwn(OPERATIONS, operator) ? FINITE : null;
  if (term?.k !== "json" || operator === "+" || what === null) return settled(its);
  const why = `\`${operator}\` of something else than ${what}`;
  // A path for one type is decided as far as that type is: it has no use for a common one
  const hasOthers = typesOf(term.name).filter((type) => type !== "number").length > 1;
  if (testType(term.name, ["number"], hasOthers ? why : undefined) || !hasOthers) return settled(its);
  return notDecided(why);
}

const FINITE = "finite numbers";

function computed(operator: string, left: unknown, right: unknown): unknown {
  const [one, other] = [termOf(left), termOf(right)];
  if (one === null && other === null) {
    if (isPrimitive(left) && isPrimitive(right)) return ofPrimitives(operator, left as never, right as never);
    return notDecided(`\`${operator}\` of an object`);
  }
  // After their types are known, JSON values are arrays and objects, which are added as texts
  if (operator === "+" && (isText(left, one) || isText(right, other) || one?.k === "json" || other?.k === "json"))
    return joined([...textParts(left), ...textParts(right)]);
  if (Object.hasOwn(ORDERS, operator)) return order(operator, ordered(left), ordered(right));
  const [a, b] = [integerOf(left), integerOf(right)];
  const term = a === null || b === null ? null : linearOf(operator, a, b);
  return term ?? compute(operator, [left, right]);
}

/** The result as a linear term, if all of its values are exact; null for any other result. */
function linearOf(operator: string, a: Integer, b: Integer): unknown {
  switch (operator) {
    case "+":
      return exact(combined(a, b, 1n));
    case "-":
      return exact(combined(a, b, -1n));
    case "*":
      if (a.of.size === 0) return times(b, a.constant);
      return b.of.size === 0 ? times(a, b.constant) : null;
    default:
      return null;
  }
}

function isText(value: unknown, term: Term | null): boolean {
  return term === null ? typeof value === "string" : TEXTS.includes(term.k);
}

const TEXTS: readonly Term["k"][] = ["text", "joined", "reason"];

/** An operation on values that are no symbols: the engine's own. */
function ofPrimitives(operator: string, left: number, right: number): unknown {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    case "**":
      return left ** right;
    case "&":
      return left & right;
    case "|":
      return left | right;
    case "^":
      return left ^ right;
    case "<<":
      return left << right;
    case ">>":
      return left >> right;
    case ">>>":
      return left >>> right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    default:
      return notDecided(`\`${operator}\``);
  }
}

/** An integer whose value is exact in JavaScript; null for any other value. */
function integerOf(value: unknown): Integer | null {
  const term = termOf(value);
  if (term !== null) return term.k === "integer" ? term : null;
  if (!Number.isSafeInteger(value)) return null;
  return constantTerm(BigInt(value as number));
}

/** The same with doubles, for comparisons, which are exact for all of them. */
function comparable(value: unknown): Integer | null {
  const term = termOf(value);
  return term?.k === "double" ? alone(term.name) : integerOf(value);
}

function times(term: Integer, factor: bigint): unknown {
  // 0 times a negative number is -0
  return factor === 0n ? null : exact(multiple(term, factor));
}

/** A number for a term, if all of its values are integers that a double represents exactly, with all smaller ones. */
function exact(term: Integer): unknown {
  if (!isSafe(rangeOfInteger(term))) return null;
  return term.of.size === 0 ? Number(term.constant) : new Sym(term);
}

/**
 * `left - right` as a term that is compared with 0, also for a constant that is no small integer: then it is a multiple
 * of that, with the same sign. Null if one of them is no finite number.
 */
function differenceOf(left: unknown, right: unknown): Integer | null {
  const [a, b] = [comparable(left), comparable(right)];
  if (a !== null && b !== null) return combined(a, b, -1n);
  if (a === null && b !== null && isFiniteNumber(left)) return multiple(differenceWith(b, left), -1n);
  return a !== null && isFiniteNumber(right) ? differenceWith(a, right) : null;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** A multiple of `term - value`, by a power of 2 that makes it one of integers. */
function differenceWith(term: Integer, value: number): Integer {
  let [whole, times] = [value, 1n];
  // Twice a double is exact, and one that is no integer is smaller than 2^53
  for (; !Number.isInteger(whole); whole *= 2) times *= 2n;
  return combined(multiple(term, times), constantTerm(BigInt(whole)), -1n);
}

/** How an order is asked: `left - right`, or the reverse, is below 0 or at most 0. */
const ORDERS: Readonly<Record<string, readonly [isReverse: boolean, is: "< 0" | "<= 0"]>> = {
  "<": [false, "< 0"],
  "<=": [false, "<= 0"],
  ">": [true, "< 0"],
  ">=": [true, "<= 0"],
};

/** What an order compares in place of a value that is neither a number nor a text (ToNumber, ECMA-262, 7.1.4). */
function ordered(value: unknown): unknown {
  // The text of a function is no number
  if (value === undefined || isInheritedFunction(value)) return Number.NaN;
  return value === null || typeof value === "boolean" ? Number(value) : value;
}

function order(operator: string, left: unknown, right: unknown): boolean {
  const [isReverse, is] = ORDERS[operator]!;
  const difference = isReverse ? differenceOf(right, left) : differenceOf(left, right);
  if (difference !== null) return testNumber(difference, is);
  const texts = orderOfTexts(operator, left, right);
  if (texts !== null) return texts;
  const numeric = orderWithNumber(operator, left, right);
  if (numeric !== null) return numeric;
  const [limit, other] = termOf(left) === null ? [left, right] : [right, left];
  if (typeof limit !== "number" || Number.isFinite(limit) || comparable(other) === null)
    return notDecided(`\`${operator}\` of something else than numbers`);
  if (Number.isNaN(limit)) return false;
  // All symbols are finite numbers
  return ofPrimitives(operator, limit === left ? limit : 0, limit === left ? 0 : limit) === true;
}

/** A text and a constant, by their UTF-16 code units; null for other values. */
function orderOfTexts(operator: string, left: unknown, right: unknown): boolean | null {
  const [one, other] = [termOf(left), termOf(right)];
  if (other?.k === "text" && typeof left === "string") return orderOfTexts(MIRRORED[operator]!, right, left);
  if (one?.k !== "text" || typeof right !== "string") return null;
  const isBefore = () => test({ kind: "before", of: one.name, text: right });
  const isSame = () => test({ kind: "equals", of: one.name, text: right });
  switch (operator) {
    case "<":
      return isBefore();
    case "<=":
      return isBefore() || isSame();
    case ">":
      return !isBefore() && !isSame();
    default:
      return !isBefore();
  }
}

/** A text, an array or an object as a number, and a constant; null for other values. */
function orderWithNumber(operator: string, left: unknown, right: unknown): boolean | null {
  const [one, other] = [termOf(left), termOf(right)];
  if (one === null && other !== null && typeof left === "number")
    return orderWithNumber(MIRRORED[operator]!, right, left);
  if (!isFiniteNumber(right) || (one?.k !== "text" && one?.k !== "json")) return null;
  // An object that can be written is `[object Object]`, which is no number
  if (one.k === "json" && textParts(left).length > 0 && testType(one.name, ["object"])) return false;
  return test({ kind: "compares", of: one.name, text: `${operator} ${right}` });
}

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** IsStrictlyEqual and IsLooselyEqual (ECMA-262, 7.2.15 and 7.2.14). */
export function isEqual(left: unknown, right: unknown, isStrict: boolean): boolean {
  const [a, b] = [view(left), view(right)];
  const [one, other] = [termOf(a), termOf(b)];
  if (one === null && other === null) return ofValues(a, b, isStrict);
  if (other === null) return withValue(one!, b, isStrict);
  return one === null ? withValue(other, a, isStrict) : ofTerms(one, other);
}

function ofValues(left: unknown, right: unknown, isStrict: boolean): boolean {
  if (isStrict) return left === right;
  // An object is converted to a primitive, unless the other value is one, too, or null or undefined
  if (isPrimitive(left) !== isPrimitive(right) && !isNullish(left) && !isNullish(right))
    return notDecided("`==` of an object and a primitive value");
  // biome-ignore lint/suspicious/noDoubleEquals: it is the operator of the policy
  return left == right;
}

function withValue(term: Term, value: unknown, isStrict: boolean): boolean {
  if (term.k === "json") return jsonWith(term.name, value, isStrict);
  if (value === null || value === undefined) return false;
  if (!isPrimitive(value)) return isStrict || isObject(term) ? false : notDecided("`==` of an object");
  const isSameType = typeof value === (isObject(term) ? "object" : isText(null, term) ? "string" : "number");
  if (!isSameType) return isStrict ? false : notDecided("`==` of values of different types");
  switch (term.k) {
    case "text":
      return test({ kind: "equals", of: term.name, text: value as string });
    case "integer":
    case "double": {
      const difference = differenceOf(new Sym(term), value);
      return difference !== null && testNumber(difference, "= 0");
    }
    case "joined":
      return testTexts("equal", partsOf(term.parts), [value as string]);
    default:
      return notDecided("a comparison of a reason that is not constant");
  }
}

function isObject({ k }: Term): boolean {
  return ![...TEXTS, "written", "each", "quoted", "stringified", "unknown", "integer", "double", "json"].includes(k);
}

function jsonWith(name: string, value: unknown, isStrict: boolean): boolean {
  if (value === null) return testType(name, ["null"]);
  if (value === undefined) return isStrict ? false : testType(name, ["null"]);
  if (!isPrimitive(value)) return isStrict ? false : notDecided("`==` of an object");
  const type = typeof value === "boolean" ? (String(value) as "true" | "false") : (typeof value as "number");
  const isJson = type === "true" || type === "false" || type === "number" || (type as string) === "string";
  if (!isStrict) {
    if (typesOf(name).length === 1) return notDecided("`==` of a value of a map");
    return notDecided("`==` of a value of a map whose type is not known");
  }
  if (!isJson || !testType(name, [type])) return false;
  const its = view(new Sym({ k: "json", name }));
  const term = termOf(its);
  return term === null ? its === value : withValue(term, value, isStrict);
}

function ofTerms(one: Term, other: Term): boolean {
  if (one.k === "json" && other.k === "json") return ofJsons(one.name, other.name);
  if (one.k === "json") return jsonWithTerm(one.name, other);
  if (other.k === "json") return jsonWithTerm(other.name, one);
  if (isObject(one) && isObject(other)) return notDecided("the identity of an object");
  if (isText(null, one) !== isText(null, other) || isObject(one) !== isObject(other))
    return notDecided("a comparison of values of different types");
  if (isText(null, one)) return testTexts("equal", partsOfText(one), partsOfText(other));
  const difference = combined(comparable(new Sym(one))!, comparable(new Sym(other))!, -1n);
  return testNumber(difference, "= 0");
}

function partsOfText(term: Term): TextPart[] {
  if (term.k === "reason") return notDecided("a comparison of a reason that is not constant");
  return partsOf(term.k === "joined" ? term.parts : [term]);
}

/** Two values of JSON: the type of the first is settled. */
function ofJsons(name: string, other: string): boolean {
  const its = settled(new Sym({ k: "json", name }));
  const term = termOf(its);
  if (term?.k === "json") return notDecided("a comparison of two values of maps");
  return term === null ? jsonWith(other, its, true) : jsonWithTerm(other, term);
}

function jsonWithTerm(name: string, other: Term): boolean {
  if (isObject(other)) return notDecided("the identity of an object");
  if (!testType(name, [isText(null, other) ? "string" : "number"])) return false;
  return ofTerms(termOf(view(new Sym({ k: "json", name })))!, other);
}

export function unary(place: number, operator: string, value: unknown): unknown {
  at(place);
  const its = settled(value);
  const term = termOf(its);
  if (term === null) {
    if (!isPrimitive(its)) return notDecided(`\`${operator}\` of an object`);
    if (operator === "-") return -(its as number);
    return operator === "+" ? +(its as number) : operator === "~" ? ~(its as number) : notDecided(operator);
  }
  if (term.k === "integer" && operator === "-") return times(term, -1n);
  if (operator === "-" || operator === "~") return compute(operator === "-" ? "*" : "^", [its, -1]);
  if ((term.k === "integer" || term.k === "double") && operator === "+") return its;
  return notDecided(`\`${operator}\` of a value that is not known`);
}

/** ToNumeric of the operand of `++` or `--`. */
export function numeric(place: number, value: unknown): unknown {
  at(place);
  const its = settled(value);
  const isNumber = typeof its === "number" || termOf(its)?.k === "integer" || termOf(its)?.k === "double";
  return isNumber ? its : notDecided("`++` or `--` of no number");
}
