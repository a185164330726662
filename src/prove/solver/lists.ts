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

/**
 * Each condition that some element is in a case gets an element of its own. Each condition that none is applies to all
 * of these elements, and to one that stands for all others. If the result cannot be satisfied, the conditions cannot.
 * The reverse does not hold: the order of elements is not considered, nor that one element may be in several cases.
 */
export function listProblem(
  conditions: readonly Condition[],
  symbols: ReadonlyMap<string, SymbolDomain>,
  origins: ReadonlyMap<string, Origin>,
): ListProblem | null {
  const somes = conditions.flatMap(({ atom, is }) => (atom.kind === "some" ? [{ atom, is }] : []));
  if (somes.length === 0) return null;
  const others = conditions.filter(({ atom }) => atom.kind !== "some");
  const clauses: Clause[] = [];
  const elements = new Map<string, ListElement>();
  for (const [index, { atom, is }] of somes.entries()) {
    if (!is) continue;
    const name = atom.first ?? `${atom.of}[~${index}]`;
    if (!elements.has(name)) clauses.push(atom.where.map((one) => about(one, atom.of, name)));
    elements.set(name, { list: atom.of, name, where: atom.where });
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
  symbols: ReadonlyMap<string, SymbolDomain>,
  elements: readonly ListElement[],
): (name: string) => SymbolDomain | undefined {
  return (name) => {
    const known = symbols.get(name);
    if (known !== undefined) return known;
    const element = elements.find((one) => name.startsWith(one.name));
    return element && symbols.get(anyElement(element.list) + name.slice(element.name.length));
  };
}
