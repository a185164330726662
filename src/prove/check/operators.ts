import type { JsonType } from "../shared/atom.js";
import { isNullish, joined, settled, textParts, view } from "./facts.js";
import { notEvaluated, type Path } from "./path.js";
import { constant, isPrimitive, linear, plus, type Sum, Sym, type Unknown, unknownOf } from "./value.js";

const MOST = BigInt(Number.MAX_SAFE_INTEGER);

/** ToBoolean (ECMA-262, 7.1.2). */
export function truthy(path: Path, value: unknown): boolean {
  const seen = view(path, value);
  const its = unknownOf(seen);
  if (its === null) return Boolean(seen);
  switch (its.kind) {
    case "text":
      return !path.ask({ kind: "equals", of: its.name, text: "" });
    case "number":
      return !compares(path, its.sum, "= 0");
    case "json":
      if (path.askType(its.name, ["null", "false"])) return false;
      if (path.askType(its.name, ["true", "array", "object"])) return true;
      return truthy(path, settled(path, seen));
    case "joined":
      return its.parts.some((part) => typeof part === "string") || notEvaluated("whether a text is empty");
    default:
      return true;
  }
}

/** Whether a sum is 0, below 0, or at most 0. */
function compares(path: Path, sum: Sum, is: "= 0" | "< 0" | "<= 0"): boolean {
  if (sum.of.size > 0) return path.ask({ kind: "number", term: linear(sum), is });
  return is === "= 0" ? sum.constant === 0n : is === "< 0" ? sum.constant < 0n : sum.constant <= 0n;
}

export function isZero(path: Path, sum: Sum): boolean {
  return compares(path, sum, "= 0");
}

/** Whether an integer is within bounds. */
function isWithin(path: Path, sum: Sum, least: bigint, most: bigint): boolean {
  if (compares(path, plus(sum, constant(least), -1n), "< 0")) return false;
  return !compares(path, plus(constant(most), sum, -1n), "< 0");
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
  if (b === null) return equalsValue(path, a!, other);
  return a === null ? equalsValue(path, b, one) : equalsUnknown(path, a, b);
}

/** IsLooselyEqual, with null or undefined only. */
export function isLooselyEqual(path: Path, left: unknown, right: unknown): boolean {
  if (right === null || right === undefined) return isNullish(path, left);
  if (left === null || left === undefined) return isNullish(path, right);
  return notEvaluated("`==` or `!=` of other values than null");
}

function equalsValue(path: Path, its: Unknown, value: unknown): boolean {
  switch (its.kind) {
    case "json": {
      const type = value === null || typeof value === "boolean" ? String(value) : typeof value;
      if (!["null", "true", "false", "number", "string"].includes(type)) return false;
      if (!path.askType(its.name, [type as "number"])) return false;
      return isEqual(path, new Sym(its), value);
    }
    case "text":
      return typeof value === "string" && path.ask({ kind: "equals", of: its.name, text: value });
    case "number":
      if (typeof value !== "number" || (its.isExact && !Number.isInteger(value))) return false;
      if (!Number.isSafeInteger(value)) return notEvaluated("a number that is not a small integer");
      return compares(path, plus(its.sum, constant(BigInt(value)), -1n), "= 0");
    case "joined":
      return typeof value === "string" ? notEvaluated("a comparison of a text that is put together") : false;
    default:
      return false;
  }
}

function equalsUnknown(path: Path, one: Unknown, other: Unknown): boolean {
  if (one.kind === "json" || other.kind === "json") {
    const [json, its] = one.kind === "json" ? [one, other] : [other as Extract<Unknown, { kind: "json" }>, one];
    if (its.kind !== "text" && its.kind !== "number") return notEvaluated("a comparison of two values of maps");
    if (!path.askType(json.name, [its.kind === "text" ? "string" : "number"])) return false;
    return isEqual(path, new Sym(json), new Sym(its));
  }
  if (one.kind === "text" && other.kind === "text") {
    if (one.name === other.name) return true;
    const [of, second] = one.name < other.name ? [one.name, other.name] : [other.name, one.name];
    return path.ask({ kind: "same", of, other: second });
  }
  if (one.kind === "number" && other.kind === "number") return compares(path, plus(one.sum, other.sum, -1n), "= 0");
  return notEvaluated("a comparison of these values");
}

/** How an order is asked: whether `left - right`, or the reverse, is below 0 or at most 0. */
const ORDERS: Readonly<Record<string, readonly [isReverse: boolean, is: "< 0" | "<= 0"]>> = {
  "<": [false, "< 0"],
  "<=": [false, "<= 0"],
  ">": [true, "< 0"],
  ">=": [true, "<= 0"],
};

/** The operators of two values, apart from equality. */
export function computed(path: Path, operator: string, left: unknown, right: unknown): unknown {
  const [one, other] = [settled(path, left), settled(path, right)];
  if (operator === "+" && (isText(one) || isText(other)))
    return joined([...textParts(path, one), ...textParts(path, other)]);
  const [a, b] = [sumOf(one), sumOf(other)];
  if (a === null || b === null) return notEvaluated(`\`${operator}\` of something else than integers`);
  const order = ORDERS[operator];
  if (order !== undefined) {
    const [isReverse, is] = order;
    return compares(path, isReverse ? plus(b, a, -1n) : plus(a, b, -1n), is);
  }
  if (!isExact(one) || !isExact(other)) return notEvaluated(`\`${operator}\` of a number that may be a fraction`);
  switch (operator) {
    case "+":
      return exact(path, plus(a, b, 1n));
    case "-":
      return exact(path, plus(a, b, -1n));
    case "*":
      if (a.of.size === 0) return times(path, b, a.constant);
      if (b.of.size === 0) return times(path, a, b.constant);
  }
  return notEvaluated(`the operator \`${operator}\``);
}

function isText(value: unknown): boolean {
  const kind = unknownOf(value)?.kind;
  return typeof value === "string" || kind === "text" || kind === "joined";
}

function isExact(value: unknown): boolean {
  const its = unknownOf(value);
  return its?.kind !== "number" || its.isExact;
}

/** A product with a constant; 0 times a negative number is -0, which no integer is. */
function times(path: Path, sum: Sum, by: bigint): unknown {
  return by === 0n ? notEvaluated("a product with 0") : exact(path, plus(constant(0n), sum, by));
}

/** The number for a sum, if all that it can be are integers which a double represents exactly. */
function exact(path: Path, sum: Sum): unknown {
  let [least, most] = [sum.constant, sum.constant];
  for (const [name, by] of sum.of) {
    const domain = path.symbols.domains.get(name);
    if (domain?.kind !== "integer") return notEvaluated("arithmetic with a number that is not bounded");
    least += by * (by > 0n ? domain.least : domain.most);
    most += by * (by > 0n ? domain.most : domain.least);
  }
  if (least < -MOST || most > MOST) return notEvaluated("arithmetic whose result may be larger than 2^53 - 1");
  return sum.of.size === 0 ? Number(sum.constant) : new Sym({ kind: "number", sum, isExact: true });
}

export function unary(path: Path, operator: string, value: unknown): unknown {
  if (operator === "!") return !truthy(path, value);
  const its = settled(path, value);
  if (operator === "typeof") return typeName(its);
  if (operator !== "-") return notEvaluated(`the operator \`${operator}\``);
  if (typeof its === "number") return -its;
  const number = unknownOf(its);
  return number?.kind === "number" && number.isExact ? times(path, number.sum, -1n) : notEvaluated("`-` of this value");
}

function typeName(value: unknown): string {
  const its = unknownOf(value);
  if (its === null) return isPrimitive(value) ? typeof value : notEvaluated("the type of an object of the policy");
  if (its.kind === "text" || its.kind === "joined") return "string";
  return its.kind === "number" ? "number" : "object";
}

const TYPES: Readonly<Record<string, readonly JsonType[]>> = {
  number: ["number"],
  string: ["string"],
  boolean: ["true", "false"],
  object: ["null", "array", "object"],
};

/** `typeof value === type`. */
export function hasType(path: Path, value: unknown, type: string): boolean {
  const seen = view(path, value);
  const its = unknownOf(seen);
  if (its?.kind !== "json") return typeName(seen) === type;
  return Object.hasOwn(TYPES, type) && path.askType(its.name, TYPES[type]!);
}

/** Whether a value is an integer from `least` to `most`; what it is as a sum, or null if it is none. */
export function integerWithin(path: Path, value: unknown, least: bigint, most: bigint): Sum | null {
  const its = settled(path, value);
  const number = unknownOf(its);
  if (number?.kind === "number" && !number.isExact) return notEvaluated("a number of a map as a verdict or errno");
  const sum = sumOf(its);
  return sum !== null && isWithin(path, sum, least, most) ? sum : null;
}
