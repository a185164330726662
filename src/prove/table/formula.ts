import { type Atom, JSON_TYPES, type JsonType, type LinearTerm, nullOrAbsentName } from "../shared/atom.js";
import { type Condition, keyOf } from "../solver/condition.js";
import { implies } from "./implied-conditions.js";
import type { KnownValues } from "./known-values.js";

/**
 * What a row of a table says of an input: a condition, or several of which all hold, or at least one. A condition that
 * is true of an atom is false where a value that it is about is missing, and its negation is then true (row-values.ts).
 */
export type Formula = Condition | { readonly all: readonly Formula[] } | { readonly any: readonly Formula[] };

export const ALWAYS: Formula = { all: [] };

export function negated(formula: Formula): Formula {
  if ("all" in formula) return { any: formula.all.map(negated) };
  if ("any" in formula) return { all: formula.any.map(negated) };
  return { atom: formula.atom, is: !formula.is };
}

/** The formulas of which all hold, in their order, without those that follow from others. */
export function conjuncts(formulas: readonly Formula[], known: KnownValues): readonly Formula[] {
  const flat = formulas.flatMap((one) => ("all" in one ? conjuncts(one.all, known) : [one]));
  const single = withTypes(distinctAs(flat, known));
  return withoutAnswered(withoutImplied(single, known), known);
}

/** A formula that is true of the same inputs, with fewer conditions. */
export function simplified(formula: Formula, known: KnownValues): Formula {
  if ("any" in formula) return alternatives(negated(simplified(negated(formula), known)), known);
  if (!("all" in formula)) return positive(formula, [], known);
  const left = conjuncts(
    formula.all.map((one) => simplified(one, known)),
    known,
  );
  return left.length === 1 ? left[0]! : { all: left };
}

function alternatives(formula: Formula, known: KnownValues): Formula {
  if ("atom" in formula) return positive(formula, [], known);
  if (!("any" in formula)) return formula;
  return { any: formula.any.map((one) => ("atom" in one ? positive(one, [], known) : one)) };
}

/** Conditions once each, and those on numbers without a negation. */
function distinctAs(formulas: readonly Formula[], known: KnownValues): readonly Formula[] {
  const conditions = formulas.filter((one): one is Condition => "atom" in one);
  const all = formulas.map((one) => ("atom" in one ? positive(one, conditions, known) : one));
  return [...new Map(all.map((one) => [JSON.stringify(one), one] as const)).values()];
}

/** `x > 5` in place of `not x ≤ 5`, if `x` is a number where other conditions hold. */
function positive(formula: Condition, others: readonly Condition[], known: KnownValues): Condition {
  if (formula.is || formula.atom.kind !== "number" || formula.atom.is === "= 0") return formula;
  const guards = formula.atom.term.of.map(([, name]) => known.guardsOf(name));
  const isSaid = (guard: Condition) => others.some((one) => one !== formula && says(one, guard, known));
  if (!guards.every((its) => its?.every(isSaid))) return formula;
  const { term, is } = formula.atom;
  return { atom: { kind: "number", term: opposite(term), is: is === "< 0" ? "<= 0" : "< 0" }, is: true };
}

function opposite({ constant, of }: LinearTerm): LinearTerm {
  const minus = (text: string) => String(-BigInt(text));
  return { constant: minus(constant), of: of.map(([by, name]) => [minus(by), name] as const) };
}

/** One condition for all that is said of the type of a value, and of whether it is there. */
function withTypes(formulas: readonly Formula[]): readonly Formula[] {
  const said = new Map<string, TypeSet>();
  const others: (Formula | string)[] = [];
  for (const formula of formulas) {
    const its = "atom" in formula ? typesOf(formula) : null;
    if (its === null) {
      others.push(formula);
      continue;
    }
    const before = said.get(its.name);
    if (before === undefined) others.push(its.name);
    said.set(its.name, before === undefined ? its : both(before, its));
  }
  return others.map((one) => (typeof one === "string" ? typeCondition(said.get(one)!) : one));
}

/** What a value of a map or an object can be: one of the types, or absent. */
interface TypeSet {
  readonly name: string;
  readonly types: readonly JsonType[];
  readonly absent: boolean;
}

function typesOf({ atom, is }: Condition): TypeSet | null {
  const entry = nullOrAbsentName(atom);
  if (entry !== null) {
    const types = JSON_TYPES.filter((type) => (type === "null") === is);
    return { name: entry, types, absent: is };
  }
  if (atom.kind === "exists") return { name: atom.of.slice(0, -1), types: is ? JSON_TYPES : [], absent: !is };
  if (atom.kind !== "type") return null;
  return { name: atom.of, types: JSON_TYPES.filter((type) => atom.among.includes(type) === is), absent: !is };
}

function both(one: TypeSet, other: TypeSet): TypeSet {
  const types = one.types.filter((type) => other.types.includes(type));
  return { name: one.name, types, absent: one.absent && other.absent };
}

function typeCondition({ name, types, absent }: TypeSet): Condition {
  const exists: Atom = { kind: "exists", of: `${name}!` };
  if (absent && types.length === 0) return { atom: exists, is: false };
  if (!absent && types.length === JSON_TYPES.length) return { atom: exists, is: true };
  const among = absent ? JSON_TYPES.filter((type) => !types.includes(type)) : types;
  return { atom: { kind: "type", of: name, among }, is: !absent };
}

function withoutImplied(formulas: readonly Formula[], known: KnownValues): readonly Formula[] {
  let left = formulas;
  for (const one of formulas) {
    if (!("atom" in one)) continue;
    const others = left.filter((other) => other !== one);
    if (others.some((other) => "atom" in other && implies(other, one, known))) left = others;
  }
  return left;
}

/** Whether a condition is another one, or says more than that. */
function says(one: Condition, other: Condition, known: KnownValues): boolean {
  return (one.is === other.is && keyOf(one.atom) === keyOf(other.atom)) || implies(one, other, known);
}

/** Leaves out alternatives that conditions contradict, and alternatives of which they say that one holds. */
function withoutAnswered(formulas: readonly Formula[], known: KnownValues): readonly Formula[] {
  const conditions = formulas.filter((one): one is Condition => "atom" in one);
  return formulas.flatMap((one) => {
    if (!("any" in one)) return [one];
    const answers = one.any.map((each) => answerTo(each, conditions, known));
    if (answers.includes(true)) return [];
    const left = one.any.filter((_, index) => answers[index] === null);
    return left.length === 1 ? left : [{ any: left }];
  });
}

/** Whether a formula holds where some conditions do; null if they do not say. */
export function answerTo(its: Formula, conditions: readonly Condition[], known: KnownValues): boolean | null {
  if (!("atom" in its)) return null;
  if (conditions.some((one) => says(one, its, known))) return true;
  const not = { atom: its.atom, is: !its.is };
  return conditions.some((one) => says(one, not, known)) ? false : null;
}
