import { isDeepStrictEqual } from "node:util";
import { anyElement, type ElementCase } from "../shared/atom.js";
import type { FarkasRow, Refutation } from "../shared/certificate.js";
import { canHaveKey, knownMap } from "../shared/known-maps.js";
import type { Condition, Domain, Path } from "./path.js";
import { isAscii, ofMeasure, ofStep } from "./texts.js";
import { constant, plus, type Sum, TEXT_TESTS } from "./value.js";

type Domains = ReadonlyMap<string, Domain>;

/** Whether a refutation shows that the conditions cannot all hold. */
export function isRefuted(refutation: Refutation, conditions: readonly Condition[], path: Path): boolean {
  const { domains } = path.symbols;
  const at = (index: number) => conditions[index];
  if ("clash" in refutation) return clashes(at(refutation.clash[0]), at(refutation.clash[1]), path);
  if ("element" in refutation) return isNoElement(at(refutation.element), conditions, path);
  if ("none" in refutation) return isAnElement(at(refutation.none[0]), at(refutation.none[1]), conditions);
  if ("domain" in refutation) return isOutside(conditions[refutation.domain], domains);
  if ("farkas" in refutation) return isContradiction(refutation.farkas, conditions, domains);
  if ("set" in refutation) return propagates(refutation.set, conditions, path);
  if ("values" in refutation) {
    const { values } = domains.get(refutation.values) ?? {};
    return values?.every((value) => isExcluded(refutation.values, value, conditions)) ?? false;
  }
  if ("key" in refutation) return hasNoKey(refutation.key, conditions, path);
  const split = conditions[refutation.split];
  if (split?.atom.kind !== "number" || split.atom.is !== "= 0" || split.is) return false;
  const below: Condition = { atom: { ...split.atom, is: "< 0" }, is: true };
  const above: Condition = { atom: { ...split.atom, is: "<= 0" }, is: false };
  const isNotBelow = isRefuted(refutation.below, [...conditions, below], path);
  return isNotBelow && isRefuted(refutation.above, [...conditions, above], path);
}

/** Whether a text that is equal to a constant is not what another condition says of it, of a part or of its length. */
function clashes(one: Condition | undefined, other: Condition | undefined, path: Path): boolean {
  if (one?.atom.kind !== "equals" || !one.is || !other) return false;
  const { of, text } = one.atom;
  if ("text" in other.atom) {
    const part = partIn(other.atom.of, of, text, path);
    return part !== null && TEXT_TESTS[other.atom.kind]?.(part, other.atom.text) === !other.is;
  }
  const [term, ...others] = other.atom.kind === "number" ? other.atom.term.of : [];
  const place = term && path.symbols.places.get(term[1]);
  if (other.atom.kind !== "number" || others.length > 0 || typeof place !== "object" || !("measure" in place))
    return false;
  const part = partIn(place.of, of, text, path);
  if (part === null) return false;
  const sum = BigInt(other.atom.term.constant) + BigInt(term![0]) * BigInt(ofMeasure(part, place.measure));
  return isSo(sum, other.atom.is) === !other.is;
}

/** The part of a text by its name, if the text is a constant; null if it is no part of it. */
function partIn(name: string, of: string, text: string, path: Path): string | null {
  if (name === of) return text;
  const place = path.symbols.places.get(name);
  if (typeof place !== "object" || !("step" in place)) return null;
  const whole = partIn(place.of, of, text, path);
  return whole !== null && isAscii(whole) ? ofStep(whole, place.step) : null;
}

const isSo = (sum: bigint, is: "= 0" | "< 0" | "<= 0") =>
  is === "= 0" ? sum === 0n : is === "< 0" ? sum < 0n : sum <= 0n;

/** The conditions of a case for one element, which stand for any of them. */
function ofElement(where: ElementCase, list: string, element: string): readonly Condition[] {
  const [any, its] = [anyElement(list), element].map((name) => JSON.stringify(name).slice(1, -1)) as [string, string];
  return where.map((one) => {
    const { atom, is } = JSON.parse(JSON.stringify(one).replaceAll(any, () => its)) as Condition;
    const isSame = atom.kind === "same" && atom.of > atom.other;
    return { atom: isSame ? { ...atom, of: atom.other, other: atom.of } : atom, is };
  });
}

/** Whether the first element of a list in one of some cases is in none of them, by the conditions on it. */
function isNoElement(some: Condition | undefined, conditions: readonly Condition[], path: Path): boolean {
  if (some?.atom.kind !== "some" || !some.is || some.atom.first === null) return false;
  const { of, first, where } = some.atom;
  return where.every((one) =>
    ofElement(one, of, first!).some((its) =>
      conditions.some((other) => {
        const isOpposite = isDeepStrictEqual(other.atom, its.atom) && other.is !== its.is;
        return isOpposite || clashes(its, other, path) || clashes(other, its, path);
      }),
    ),
  );
}

/** Whether a list of which no element is in some cases has one that is, by the conditions on it. */
function isAnElement(
  none: Condition | undefined,
  some: Condition | undefined,
  conditions: readonly Condition[],
): boolean {
  if (none?.atom.kind !== "some" || none.is || some?.atom.kind !== "some" || !some.is || some.atom.first === null)
    return false;
  const { of, first } = some.atom;
  return (
    none.atom.of === of &&
    none.atom.where.some((one) =>
      ofElement(one, of, first!).every((its) => conditions.some((other) => isDeepStrictEqual(other, its))),
    )
  );
}

function isOutside(condition: Condition | undefined, domains: Domains): boolean {
  if (condition?.atom.kind !== "equals" || !condition.is) return false;
  const { of, text } = condition.atom;
  const domain = domains.get(of);
  if (domain?.kind !== "text" || domain.hex === null) return false;
  return text.length !== 2 * domain.hex || !/^[0-9a-f]*$/.test(text);
}

/** Whether a condition on one symbol is false of a value of it. */
function isExcluded(of: string, value: string | number, conditions: readonly Condition[]): boolean {
  return conditions.some(({ atom, is }) => {
    if (typeof value === "string")
      return "text" in atom && atom.of === of && TEXT_TESTS[atom.kind]?.(value, atom.text) === !is;
    const [only, ...others] = atom.kind === "number" ? atom.term.of : [];
    if (atom.kind !== "number" || only?.[1] !== of || others.length > 0 || !Number.isInteger(value)) return false;
    const sum = BigInt(atom.term.constant) + BigInt(only[0]) * BigInt(value);
    return isSo(sum, atom.is) === !is;
  });
}

/** Whether a map has an entry under a text that is none of its keys. */
function hasNoKey(name: string, conditions: readonly Condition[], path: Path): boolean {
  const isThere = conditions.some(({ atom, is }) => is && atom.kind === "exists" && atom.of === `${name}!`);
  const place = path.symbols.places.get(name);
  if (!isThere || typeof place !== "object" || !("map" in place)) return false;
  const [part, ...others] = place.parts;
  if (typeof part !== "object" || !("text" in part) || others.length > 0) return false;
  const known = knownMap(path.names.known ?? {}, place.map);
  const { keys = null } = known;
  const isOther = conditions.some(({ atom, is }) => {
    return is && atom.kind === "equals" && atom.of === part.text && !canHaveKey(known, atom.text);
  });
  if (keys === null || !("enum" in keys)) return isOther;
  return isOther || keys.enum.every((key) => isExcluded(part.text, key, conditions));
}

/** A sum that is at most 0, or below 0, or 0. */
export interface Row {
  readonly sum: Sum;
  readonly is: "= 0" | "< 0" | "<= 0";
}

/** Farkas' lemma: the rows hold, and the sum of their multiples says that a positive constant is at most 0. */
function isContradiction(rows: readonly FarkasRow[], conditions: readonly Condition[], domains: Domains): boolean {
  let sum = constant(0n);
  let isStrict = false;
  for (const row of rows) {
    const its = "condition" in row ? rowOf(conditions[row.condition], domains) : boundOf(row, domains);
    const times = BigInt(row.times);
    if (its === null || (times < 1n && its.is !== "= 0")) return false;
    sum = plus(sum, its.sum, times);
    isStrict ||= its.is === "< 0";
  }
  return sum.of.size === 0 && (isStrict ? sum.constant >= 0n : sum.constant > 0n);
}

export function rowOf(condition: Condition | undefined, domains: Domains): Row | null {
  if (condition?.atom.kind !== "number") return null;
  const { term, is } = condition.atom;
  let sum: Sum = { constant: BigInt(term.constant), of: new Map(term.of.map(([by, of]) => [of, BigInt(by)])) };
  if (is === "= 0") return condition.is ? { sum, is } : null;
  // Not below 0: the negative sum is at most 0
  if (!condition.is) sum = plus(constant(0n), sum, -1n);
  if ((is === "<= 0") === condition.is) return { sum, is: "<= 0" };
  const isInteger = [...sum.of.keys()].every((name) => domains.get(name)?.kind === "integer");
  return isInteger ? { sum: plus(sum, constant(1n), 1n), is: "<= 0" } : { sum, is: "< 0" };
}

/** The bound of a symbol as a row, if it is the right one. */
function boundOf(row: Exclude<FarkasRow, { condition: number }>, domains: Domains): Row | null {
  const domain = domains.get(row.symbol);
  if (domain === undefined || domain.kind === "text") return null;
  const [bound, stated, by] = "least" in row ? [domain.least, row.least, -1n] : [domain.most, row.most, 1n];
  if (bound === null || bound !== BigInt(stated)) return null;
  return { sum: { constant: -by * bound, of: new Map([[row.symbol, by]]) }, is: "<= 0" };
}

/** Unit propagation: each constraint has one literal that can be true, which is then true; the last one has none. */
function propagates(numbers: readonly number[], conditions: readonly Condition[], path: Path): boolean {
  const { argument, clauses } = path.declarations;
  const known = new Map<string, boolean | string>();
  for (const { atom, is } of conditions)
    if (atom.kind === "flag") known.set(atom.of, is);
    else if (atom.kind === "equals" && is) known.set(atom.of, atom.text);
  for (const [index, number] of numbers.entries()) {
    const open = clauses[number]?.any.filter((literal) => {
      const value = known.get(`${argument}.${literal.fact}`);
      if (value === undefined) return true;
      return "is" in literal ? value === literal.is : literal.of.includes(value as string) === literal.among;
    });
    const [only] = open ?? [];
    if (index === numbers.length - 1) return open?.length === 0;
    if (open?.length !== 1 || !("is" in only!)) return false;
    known.set(`${argument}.${only.fact}`, only.is);
  }
  return false;
}
