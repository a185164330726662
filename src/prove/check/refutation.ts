import type { FactClause } from "../../bpf/program-constraints.js";
import type { Atom } from "../shared/atom.js";
import type { FarkasRow, Refutation } from "../shared/certificate.js";
import type { Condition, Domain, Path } from "./path.js";
import { constant, plus, type Sum } from "./value.js";

/** Whether a refutation shows that the conditions cannot all hold. */
export function isRefuted(refutation: Refutation, conditions: readonly Condition[], path: Path): boolean {
  const { domains } = path.symbols;
  if ("clash" in refutation) {
    const [one, other] = refutation.clash.map((index) => conditions[index]);
    return one !== undefined && other !== undefined && clashes(one, other);
  }
  if ("domain" in refutation) return isOutside(conditions[refutation.domain], domains);
  if ("farkas" in refutation) return isContradiction(refutation.farkas, conditions, domains);
  if ("set" in refutation) return propagates(refutation.set, conditions, path);
  const split = conditions[refutation.split];
  if (split?.atom.kind !== "number" || split.atom.is !== "= 0" || split.is) return false;
  const { term } = split.atom;
  const of = term.of.map(([by, name]) => [String(-BigInt(by)), name] as const);
  const below: Condition = { atom: { kind: "number", term, is: "< 0" }, is: true };
  const above: Condition = {
    atom: { kind: "number", term: { constant: String(-BigInt(term.constant)), of }, is: "< 0" },
    is: true,
  };
  return (
    isRefuted(refutation.below, [...conditions, below], path) &&
    isRefuted(refutation.above, [...conditions, above], path)
  );
}

/** Whether a text that is equal to a constant is not what another condition says of it. */
function clashes({ atom, is }: Condition, other: Condition): boolean {
  if (atom.kind !== "equals" || !is || !("of" in other.atom) || other.atom.of !== atom.of) return false;
  const truth = ofText(other.atom, atom.text);
  return truth !== null && truth !== other.is;
}

/** Whether a condition is true of a text; null for one that is not about texts. */
function ofText(atom: Atom, text: string): boolean | null {
  switch (atom.kind) {
    case "equals":
      return text === atom.text;
    case "starts":
      return text.startsWith(atom.text);
    case "ends":
      return text.endsWith(atom.text);
    case "includes":
      return text.includes(atom.text);
    default:
      return null;
  }
}

function isOutside(condition: Condition | undefined, domains: ReadonlyMap<string, Domain>): boolean {
  if (condition?.atom.kind !== "equals" || !condition.is) return false;
  const domain = domains.get(condition.atom.of);
  if (domain?.kind !== "text" || domain.hex === null) return false;
  const { text } = condition.atom;
  return text.length !== 2 * domain.hex || !/^[0-9a-f]*$/.test(text);
}

/** A sum that is at most 0, or below 0, or 0. */
export interface Row {
  readonly sum: Sum;
  readonly is: "= 0" | "< 0" | "<= 0";
}

/** Farkas' lemma: the rows hold, and the sum of their multiples says that a positive constant is at most 0. */
function isContradiction(
  rows: readonly FarkasRow[],
  conditions: readonly Condition[],
  domains: ReadonlyMap<string, Domain>,
): boolean {
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

export function rowOf(condition: Condition | undefined, domains: ReadonlyMap<string, Domain>): Row | null {
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
function boundOf(row: Exclude<FarkasRow, { condition: number }>, domains: ReadonlyMap<string, Domain>): Row | null {
  const domain = domains.get(row.symbol);
  if (domain === undefined || domain.kind === "text") return null;
  const isLeast = "least" in row;
  const bound = isLeast ? domain.least : domain.kind === "integer" ? domain.most : null;
  if (bound === null || bound !== BigInt(isLeast ? row.least : row.most)) return null;
  const symbol: Sum = { constant: 0n, of: new Map([[row.symbol, 1n]]) };
  const sum = isLeast ? plus(constant(bound), symbol, -1n) : plus(symbol, constant(bound), -1n);
  return { sum, is: "<= 0" };
}

/** Unit propagation: each constraint has one literal that can be true, which is then true; the last one has none. */
function propagates(numbers: readonly number[], conditions: readonly Condition[], path: Path): boolean {
  const { argument, clauses } = path.declarations;
  const flags = new Map<string, boolean>();
  const texts = new Map<string, string>();
  for (const { atom, is } of conditions) {
    if (atom.kind === "flag") flags.set(atom.of, is);
    if (atom.kind === "equals" && is) texts.set(atom.of, atom.text);
  }
  const isFalse = (literal: FactClause["any"][number]) => {
    const name = `${argument}.${literal.fact}`;
    if ("is" in literal) return flags.get(name) === !literal.is;
    const text = texts.get(name);
    return text !== undefined && literal.of.includes(text) !== literal.among;
  };
  for (const [index, number] of numbers.entries()) {
    const open = clauses[number]?.any.filter((literal) => !isFalse(literal));
    if (open === undefined) return false;
    if (index === numbers.length - 1) return open.length === 0;
    const [only] = open;
    if (open.length !== 1 || !("is" in only!)) return false;
    flags.set(`${argument}.${only.fact}`, only.is);
  }
  return false;
}
