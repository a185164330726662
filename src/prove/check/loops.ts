import type { AnyNode } from "acorn";
import { anyElement, type ElementCase } from "../shared/atom.js";
import { elementsOfArray } from "../shared/json-domain.js";
import { MOST_ELEMENTS, number, valueIn } from "./facts.js";
import { rangeOf } from "./operators.js";
import { type FoldCase, notEvaluated, type Path } from "./path.js";
import { isPrimitive, linear, type Sum, Sym, unknownOf } from "./value.js";
import type { Variable } from "./variable.js";

/** The name of a list that is not known: a list of facts, or an array of a map; null for any other value. */
export function listName(path: Path, value: unknown): string | null {
  const its = unknownOf(value);
  if (its?.kind === "list") return its.name;
  return its?.kind === "json" && path.typesOf(its.name).join() === "array" ? its.name : null;
}

/** The element of a list with a name. */
export function elementOf(path: Path, list: Sym, name: string): unknown {
  if (list.its.kind === "list") return valueIn(path, name, list.its.of);
  const { schemas } = path.symbols;
  if (list.its.kind === "json") schemas.set(name, elementsOfArray(schemas.get(list.its.name) ?? []));
  return new Sym({ kind: "json", name });
}

/** Names of variables that code assigns to; `nodes` are all of its file. */
export function assignedIn({ start, end }: AnyNode, nodes: readonly AnyNode[]): ReadonlySet<string> {
  const names = nodes.flatMap((node) => {
    const isWrite = node.type === "AssignmentExpression" || node.type === "UpdateExpression";
    if (!isWrite || node.start < start || node.end > end) return [];
    const target = node.type === "AssignmentExpression" ? node.left : node.argument;
    return target.type === "Identifier" ? [target.name] : [];
  });
  return new Set(names);
}

/** What one pass of a loop does. */
export interface Pass {
  /** Whether it leaves the loop. */
  readonly leaves: boolean;
}

/**
 * A loop over a list that is not known. The body is evaluated for any element first, to find in which cases one leaves
 * the loop, and what the others do to variables that outlast it. Then either no element is in the cases that leave, and
 * the variables have what all elements have added to them; or the first one is, and the body is evaluated for it.
 * Before that, what other elements changed is not known any more. Returns whether an element left the loop.
 */
export function loopOver(path: Path, list: Sym, variables: readonly Variable[], pass: (one: unknown) => Pass): boolean {
  const of = listName(path, list) ?? notEvaluated("a loop over this value");
  const begun = variables.map(({ value }) => value);
  const set = (values: readonly unknown[]) => {
    for (const [index, variable] of variables.entries()) variable.value = values[index];
  };
  const before = variables.map((variable) => new Sym({ kind: "accumulated", of: variable, terms: [] }));
  const any = anyElement(of);
  const ways = path.ways(any, variables, () => {
    set(before);
    const { leaves } = pass(elementOf(path, list, any));
    return leaves ? null : variables.map(({ value }) => value);
  });
  const isChanged = (index: number) => ways.some(({ its }) => its !== null && its[index] !== before[index]);
  const stops = ways.flatMap(({ where, its }) => (its === null ? [where] : []));
  const first = stops.length === 0 ? null : firstOf(path, of, stops);
  if (first !== null) {
    set(variables.map((_, index) => (isChanged(index) ? before[index] : begun[index])));
    if (!pass(elementOf(path, list, first)).leaves) notEvaluated("an element of which the case is not known");
    return true;
  }
  set(begun);
  const passes = ways.flatMap(({ where, its }) => (its === null ? [] : [{ where, its }]));
  for (const [index, variable] of variables.entries()) {
    const changes = passes.flatMap(({ where, its }) =>
      its[index] === before[index] ? [] : [{ where, to: its[index] }],
    );
    if (changes.length > 0) variable.value = valueAfter(path, of, variable, changes);
  }
  return false;
}

/** The name of the first element of a list in one of some cases; null on a path on which there is none. */
export function firstOf(path: Path, of: string, where: readonly ElementCase[]): string | null {
  const first = path.symbols.named(`${of}[first`, where);
  if (where.length === 0 || !path.ask({ kind: "some", of, where, first })) return null;
  path.symbols.places.set(first, { list: of, first: where });
  return first;
}

interface Change {
  readonly where: ElementCase;
  readonly to: unknown;
}

/** The value of a variable after a loop that changes it in some cases: one constant, or what was added. */
function valueAfter(path: Path, of: string, variable: Variable, changes: readonly Change[]): unknown {
  const where = changes.map((one) => one.where);
  const isForAll = where.some(({ length }) => length === 0);
  const isSome = (): boolean => path.ask({ kind: "some", of, where, first: null });
  const [{ to }] = changes as [Change];
  if (isPrimitive(to) && changes.every((one) => Object.is(one.to, to))) return isSome() ? to : variable.value;
  const initial = variable.value;
  const terms = changes.map((one) => addedTo(variable, one.to));
  if (typeof initial !== "number" || !(Math.abs(initial) <= 2 ** 32) || !Number.isInteger(initial))
    return notEvaluated("a sum that begins with no integer");
  if (!isForAll && !isSome()) return initial;
  const cases: readonly FoldCase[] = changes.map((one, index) => ({
    where: one.where,
    terms: terms[index]!.map(linear),
  }));
  const name = path.symbols.named(`${of}[added`, [initial, cases]);
  path.symbols.places.set(name, { list: of, initial, cases });
  return number(path, name, { kind: "integer", ...rangeOfSums(path, BigInt(initial), terms, !isForAll) });
}

function addedTo(variable: Variable, value: unknown): readonly Sum[] {
  const its = unknownOf(value);
  if (its?.kind === "accumulated" && its.of === variable && its.terms.length > 0) return its.terms;
  return notEvaluated("a variable that a loop over a list changes otherwise than by a sum or to one constant");
}

const SMALL = 2n ** 32n;

/** The range of sums of integers for all elements. Each may be rounded, which makes none twice as large. */
function rangeOfSums(
  path: Path,
  initial: bigint,
  all: readonly (readonly Sum[])[],
  isAdded: boolean,
): { least: bigint; most: bigint } {
  let largest = 0n;
  let smallest: bigint | null = null;
  let [isUpward, isDownward] = [true, true];
  for (const terms of all) {
    let [size, added] = [0n, 0n];
    for (const { least, most } of terms.map((term) => rangeOf(path, term))) {
      size += (most > 0n ? most : 0n) + (least < 0n ? -least : 0n);
      added += least;
      isUpward &&= least >= 0n;
      isDownward &&= most <= 0n;
    }
    if (size > largest) largest = size;
    if (smallest === null || added < smallest) smallest = added;
  }
  const size = 2n * (MOST_ELEMENTS * largest + (initial < 0n ? -initial : initial));
  // Something was added for at least one element, which is exact if it is small
  const more = isAdded && smallest !== null && smallest <= SMALL ? smallest : 0n;
  return { least: isUpward ? initial + more : -size, most: isDownward ? initial : size };
}
