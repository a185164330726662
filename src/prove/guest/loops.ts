import type { FactDomain } from "../../fact-type.js";
import { anyElement, type ElementCase, type ElementValue, type LoopCases } from "../shared/atom.js";
import { factOf, integer, symbol, view } from "./facts.js";
import { at, declare, endPassed, halt, here, loopCases, nameOf, notDecided, originate, test, typesOf } from "./path.js";
import { type Sym, type Term, termOf } from "./term.js";
import { joined, stringParts, truthy } from "./values.js";

/** A list that is not known; `of` is null for an array in a map. */
export interface UnknownList {
  readonly name: string;
  readonly of: FactDomain | null;
}

/** The list that a value is, on a path on which it is one; null for any other value. */
export function unknownList(value: unknown): UnknownList | null {
  const term: Term | null = termOf(view(value));
  if (term?.k === "list") return { name: term.name, of: term.of };
  return term?.k === "json" && typesOf(term.name).join() === "array" ? { name: term.name, of: null } : null;
}

function elementOf({ of }: UnknownList, name: string): unknown {
  if (of !== null) return factOf(name, of);
  declare(name, { kind: "json" });
  return symbol(name, { k: "json", name });
}

let loops = 0;
/** How many loops are executed for any element at the moment: only these runs must not change anything. */
let depth = 0;
let change: string | null = null;

/** The number of loops around a variable that is declared here. */
export function birth(): number {
  return depth;
}

/** Notes that a variable changes which was declared within `born` loops. */
export function write(born: number, value: unknown): unknown {
  if (born < depth) change ??= "a variable that a loop over a list changes";
  return value;
}

/** Notes a change that a loop must not make. */
export function changes(what: string): void {
  if (depth > 0) change ??= what;
}

/**
 * The elements of a list that is not known, for `for`. The loop is executed for any element first, in runs of their
 * own, to find in which cases an element leaves the loop. On a path, either no element is in these cases, and the loop
 * ends; or the first one is, and the body is executed for it. An element after which the loop goes on must not have
 * changed anything, so that it need not be executed.
 */
export class Loop implements IterableIterator<unknown> {
  /** What is reported about an element after which the loop goes on. */
  value: ElementValue = null;
  #cases: LoopCases | null = null;
  #state: "begun" | "any" | "first" | "done" = "begun";

  constructor(private readonly list: UnknownList) {}

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<unknown> {
    at(here());
    switch (this.#state) {
      case "any":
        depth -= 1;
        if (change !== null) return notDecided(change);
        return endPassed(this.value);
      case "first":
        return notDecided("a variable or an object that a loop over a list changes");
      case "done":
        return DONE;
      case "begun":
        return this.#begin();
    }
  }

  #begin(): IteratorResult<unknown> {
    const { name } = this.list;
    if (depth > 0) return notDecided("a loop over a list within another one");
    this.#cases = loopCases(loops++, name);
    if (this.#cases === null) {
      this.#state = "any";
      depth += 1;
      return { done: false, value: elementOf(this.list, anyElement(name)) };
    }
    const { first, stops } = this.#cases;
    if (stops.length === 0 || !test({ kind: "some", of: name, where: stops, first })) {
      this.#state = "done";
      return DONE;
    }
    this.#state = "first";
    originate(first, { kind: "element", list: name, where: stops });
    return { done: false, value: elementOf(this.list, first) };
  }

  /** The body has left the loop. */
  return(): IteratorResult<unknown> {
    if (this.#state === "any") halt();
    this.#state = "done";
    return DONE;
  }

  /** The cases of the elements after which the loop went on. */
  get passes(): LoopCases["passes"] {
    return this.#cases!.passes;
  }

  /** The cases of the elements about which `true` was reported. */
  get passed(): readonly ElementCase[] {
    return this.#cases!.passes.filter(({ value }) => value === true).map(({ where }) => where);
  }
}

const DONE = { done: true, value: undefined } as const;

/** Whether a list of texts contains a text. */
export function containsText(list: UnknownList, text: string): boolean {
  const of = anyElement(list.name);
  elementOf(list, of);
  return test({
    kind: "some",
    of: list.name,
    where: [[{ atom: { kind: "equals", of, text }, is: true }]],
    first: null,
  });
}

/** The first element of a list, which is the first of those in a case without conditions; undefined if it is empty. */
export function firstElement(list: UnknownList): unknown {
  const where: readonly ElementCase[] = [[]];
  const first = nameOf("first", list.name, where);
  if (!test({ kind: "some", of: list.name, where, first })) return undefined;
  originate(first, { kind: "element", list: list.name, where });
  return elementOf(list, first);
}

type Each = (element: unknown) => unknown;

/** The first element for which a callback gives this, as an array of one; null if it does so for none. */
function first(place: number, list: UnknownList, each: Each, is: boolean): readonly [unknown] | null {
  for (const element of new Loop(list)) if (truthy(place, each(element)) === is) return [element];
  return null;
}

function filtered(place: number, list: UnknownList, each: Each): Sym {
  const loop = new Loop(list);
  for (const element of loop) loop.value = truthy(place, each(element));
  const where = loop.passed;
  return symbol(`${list.name}.filter(${JSON.stringify(where)})`, { k: "filtered", list: list.name, where });
}

function mapped(list: UnknownList, each: Each): Sym {
  const loop = new Loop(list);
  for (const element of loop) {
    const text = stringParts(each(element));
    loop.value = text === null ? null : { text };
  }
  const cases = loop.passes.map(({ where, value }) => {
    if (typeof value !== "object" || value === null) return notDecided("`map` to values that are no texts");
    return { where, text: value.text };
  });
  return symbol(`${list.name}.map(${JSON.stringify(cases)})`, { k: "mapped", list: list.name, cases });
}

/** The texts of all elements with a separator between them. */
export function joinedTexts({ list, cases }: Extract<Term, { k: "mapped" }>, separator: string): string | Sym {
  return joined([{ k: "each", each: { list, separator, cases } }]);
}

/** Methods of lists that call a function for elements (ECMA-262, 23.1.3). */
export const LIST_LOOPS: Readonly<Record<string, (place: number, list: UnknownList, each: Each) => unknown>> = {
  some: (place, list, each) => first(place, list, each, true) !== null,
  every: (place, list, each) => first(place, list, each, false) === null,
  find: (place, list, each) => first(place, list, each, true)?.[0],
  filter: filtered,
  map: (_, list, each) => mapped(list, each),
  forEach(_, list, each) {
    for (const element of new Loop(list)) each(element);
  },
};

/** The number of elements in some cases. */
export function countOf({ list, where }: Extract<Term, { k: "filtered" }>): unknown {
  if (where.length === 0 || !test({ kind: "some", of: list, where, first: null })) return 0;
  const name = nameOf("count", list, where);
  originate(name, { kind: "count", list, where });
  return integer(name, 1n, 0xffff_ffffn);
}
