import { type Atom, anyElement, type ElementCase, type Origin, type SymbolDomain } from "../shared/atom.js";
import type { Condition } from "./condition.js";
import { namesIn, renamed } from "./element-conditions.js";

/** An element that a list must have, or one with which it can be filled. */
export interface ListElement {
  readonly list: string;
  readonly name: string;
  /** The cases of which it is in one; null for an element with which the list is filled. */
  readonly where: readonly ElementCase[] | null;
}

/** One of these alternatives must hold, each of which is a conjunction. */
export type Clause = readonly (readonly Condition[])[];

/** Conditions on lists as conditions on some of their elements. */
export interface ListProblem {
  readonly conditions: readonly Condition[];
  readonly clauses: readonly Clause[];
  readonly elements: readonly ListElement[];
}

type Some = Extract<Atom, { kind: "some" }>;

/** What is known about lists apart from the conditions. */
export interface ListKnowledge {
  readonly symbols: ReadonlyMap<string, SymbolDomain>;
  readonly origins: ReadonlyMap<string, Origin>;
  /** The name of the subject. */
  readonly argument: string;
}

/**
 * Conditions on lists as problems, one of which has a solution if the conditions have one; null if no condition is on
 * a list. The first element of a list may be the first one in some cases, too, or be in none of these cases.
 */
export function listProblems(conditions: readonly Condition[], knowledge: ListKnowledge): ListProblem[] | null {
  if (!conditions.some(({ atom }) => atom.kind === "some")) return null;
  let readings: Reading[] = [{ conditions, apart: [] }];
  for (let left = MOST_SAME; left > 0; left--) readings = readings.flatMap(sameOrApart);
  return readings.map((reading) => listProblem(reading, knowledge));
}

/** How many elements are looked at that may be the first one. */
const MOST_SAME = 3;

/** Conditions, and elements that are in none of the cases of others. */
interface Reading {
  readonly conditions: readonly Condition[];
  readonly apart: readonly { readonly name: string; readonly from: Some }[];
}

function sameOrApart(reading: Reading): Reading[] {
  const { conditions, apart } = reading;
  const firsts = conditions.flatMap(({ atom, is }) =>
    atom.kind === "some" && is && atom.first !== null ? [{ ...atom, first: atom.first }] : [],
  );
  for (const { of, first: name, where } of firsts) {
    if (!where.some(({ length }) => length === 0)) continue;
    const from = firsts.find((one) => one.of === of && one.first !== name && !isApart(reading, name, one));
    if (from === undefined) continue;
    const same = conditions.map((one) => renamed(one, from.first, name));
    return [
      { conditions, apart: [...apart, { name, from }] },
      { conditions: same, apart },
    ];
  }
  return [reading];
}

function isApart({ apart }: Reading, name: string, { first }: Some): boolean {
  return apart.some((one) => one.name === name && one.from.first === first);
}

/**
 * Each condition that some element is in a case gets an element of its own. Each condition that none is applies to all
 * of these elements, and to one that stands for all others. If the result cannot be satisfied, the conditions cannot.
 * The reverse does not hold: the order of elements is not considered, nor that one element may be in several cases.
 */
function listProblem({ conditions, apart }: Reading, { symbols, origins, argument }: ListKnowledge): ListProblem {
  const somes = conditions.flatMap(({ atom, is }) => (atom.kind === "some" ? [{ atom, is }] : []));
  const others = conditions.filter(({ atom }) => atom.kind !== "some");
  const clauses: Clause[] = apart.flatMap(({ name, from }) => outside([from], name, []));
  const elements = new Map<string, ListElement>();
  for (const [index, { atom, is }] of somes.entries()) {
    if (!is || (atom.first === null && somes.some((one) => one.is && isSameWithName(one.atom, atom)))) continue;
    const name = atom.first ?? `${atom.of}[~${index}]`;
    clauses.push(atom.where.map((one) => about(one, atom.of, name)));
    const isAny = atom.where.some(({ length }) => length === 0);
    if (!isAny || !elements.has(name)) elements.set(name, { list: atom.of, name, where: atom.where });
  }
  for (const list of new Set(somes.map(({ atom }) => atom.of))) {
    const none = somes.flatMap(({ atom, is }) => (atom.of === list && !is ? [atom] : []));
    const own = [...elements.values()].filter((one) => one.list === list);
    const length = `${list}.length`;
    if (own.length > 0 && symbols.has(length)) others.push(atMost(1n, [[-1n, length]]));
    const any = anyElement(list);
    const isAny = conditions.some(({ atom }) => atom.kind !== "some" && namesIn(atom).some((of) => of.startsWith(any)));
    for (const { name } of own) clauses.push(...outside(none, name, []));
    if (isAny) clauses.push(...outside(none, any, []));
    const more = `${list}[~]`;
    elements.set(more, { list, name: more, where: null });
    // The list has no other elements, or one that stands for them
    if (symbols.has(length)) clauses.push(...outside(none, more, [[atMost(-BigInt(own.length), [[1n, length]])]]));
    if (list === `${argument}.statements`)
      clauses.push(...statementClauses(none, conditions, origins, own.length === 0 ? more : null));
    for (const [name, origin] of origins)
      if (origin.kind === "count" && origin.list === list && symbols.has(length) && isNamed(name, conditions))
        others.push(
          atMost(0n, [
            [1n, name],
            [-1n, length],
          ]),
        );
  }
  return { conditions: others, clauses, elements: [...elements.values()] };
}

/**
 * What holds between statements that helpers find and those of the program: they are among these, and a verification
 * gives 0 only if there is one, of which `more` is the name.
 */
function statementClauses(
  none: readonly Some[],
  conditions: readonly Condition[],
  origins: ReadonlyMap<string, Origin>,
  more: string | null,
): Clause[] {
  const names = conditions.flatMap(({ atom }) => namesIn(atom));
  return [...origins].flatMap(([name, { kind }]) => {
    if (kind === "statement_of" && names.some((one) => one.startsWith(`${name}.`))) return outside(none, name, []);
    if (kind !== "verify_program" || more === null || !names.includes(name)) return [];
    return outside(none, more, [[atMost(1n, [[1n, name]])]]);
  });
}

/** Whether a condition says the same as another one, and names the first element. */
function isSameWithName(its: Some, { of, where }: Some): boolean {
  return its.first !== null && its.of === of && JSON.stringify(its.where) === JSON.stringify(where);
}

function isNamed(name: string, conditions: readonly Condition[]): boolean {
  return conditions.some(({ atom }) => atom.kind === "number" && atom.term.of.some(([, of]) => of === name));
}

function about(one: ElementCase, list: string, name: string): readonly Condition[] {
  return one.map((condition) => renamed(condition, anyElement(list), name));
}

/** That an element is in none of the cases, or else one of the alternatives `instead`. */
function outside(somes: readonly Some[], name: string, instead: Clause): Clause[] {
  const cases = somes.flatMap(({ of, where }) => where.map((one) => about(one, of, name)));
  return cases.map((one) => [
    // The conditions of a case say something only after those before them
    ...one.map(({ atom, is }, index) => [...one.slice(0, index), { atom, is: !is }]),
    ...instead,
  ]);
}

function atMost(constant: bigint, of: readonly (readonly [coefficient: bigint, name: string])[]): Condition {
  const term = { constant: String(constant), of: of.map(([by, name]) => [String(by), name] as const) };
  return { atom: { kind: "number", term, is: "<= 0" }, is: true };
}

/** The domain of a symbol, which for a part of an element is that of the same part of any element. */
export function domainIn(
  { symbols, origins }: Pick<ListKnowledge, "symbols" | "origins">,
  elements: readonly ListElement[],
): (name: string) => SymbolDomain | undefined {
  return (name) => {
    const known = symbols.get(name);
    if (known !== undefined) return known;
    const element = elements.find((one) => name.startsWith(one.name));
    if (element === undefined) return undefined;
    const others = [...origins].flatMap(([of, origin]) =>
      origin.kind === "element" && origin.list === element.list ? [of] : [],
    );
    const part = name.slice(element.name.length);
    for (const of of [anyElement(element.list), ...others]) {
      const domain = symbols.get(of + part);
      if (domain !== undefined) return domain;
    }
    return undefined;
  };
}
