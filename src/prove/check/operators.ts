import { JSON_TYPES } from "../shared/atom.js";
import { isNullish, joined, settled, stringParts, textParts, view } from "./facts.js";
import { notEvaluated, type Path } from "./path.js";
import { constant, isPrimitive, linear, numberOf, plus, type Sum, Sym, type Unknown, unknownOf } from "./value.js";

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
  const [one, other] = [settled(path, left), settled(path, right)];
  if (operator === "+" && (stringParts(path, one) ?? stringParts(path, other)))
    return joined([...textParts(path, one), ...textParts(path, other)]);
  const [a, b] = [sumOf(one), sumOf(other)];
  if (a === null || b === null) return notEvaluated(`\`${operator}\` of something else than integers`);
  if (/^[<>]=?$/.test(operator)) {
    const difference = operator.startsWith("<") ? plus(a, b, -1n) : plus(b, a, -1n);
    return compares(path, difference, operator.endsWith("=") ? "<= 0" : "< 0");
  }
  if (operator === "+" || operator === "-") return exact(path, plus(a, b, operator === "+" ? 1n : -1n));
  if (operator !== "*" || (a.of.size > 0 && b.of.size > 0)) return notEvaluated(`the operator \`${operator}\``);
  return a.of.size === 0 ? times(path, b, a.constant) : times(path, a, b.constant);
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
  return numberOf(sum);
}

export function unary(path: Path, operator: string, value: unknown): unknown {
  if (operator === "!") return !truthy(path, value);
  const its = settled(path, value);
  if (operator === "typeof") return typeName(its);
  if (operator !== "-") return notEvaluated(`the operator \`${operator}\``);
  if (typeof its === "number") return -its;
  const number = unknownOf(its);
  return number?.kind === "number" ? times(path, number.sum, -1n) : notEvaluated("`-` of this value");
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
  exact(path, sum);
  if (compares(path, plus(sum, constant(least), -1n), "< 0")) return null;
  return compares(path, plus(constant(most), sum, -1n), "< 0") ? null : sum;
}
