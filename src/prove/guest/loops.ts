import { anyElement, type ElementCase, type ElementValue, type LoopCases } from "../shared/atom.js";
import { renamed, renamedText } from "../solver/element-conditions.js";
import { factOf, symbol } from "./facts.js";
import { declareElement } from "./json-symbols.js";
import {
  at,
  endPassed,
  halt,
  here,
  isInFold,
  isInLoading,
  itemLoop,
  loopCases,
  nameOf,
  notDecided,
  originate,
  test,
  testType,
} from "./path.js";
import { type CaseValue, type ItemPart, type ListPart, type PartCase, textTerms } from "./term.js";
import { joined } from "./values.js";

/** An element of a list by its name. */
function elementOf({ list, of }: ListPart, name: string): unknown {
  if (of !== null) return factOf(name, of);
  declareElement(name, list);
  return symbol(name, { k: "json", name });
}

let loops = 0;
/** How many loops are executed for any element at the moment: only these runs must not change anything. */
let depth = 0;
let change: string | null = null;

/** Whether a variable that outlasts a decision, or any object, has changed since the files were executed. */
let hasChanged = false;
/** How often an object or array of the policy has changed. */
let changesSoFar = 0;

/** The number of loops around a variable that is declared here; -1 for one that outlasts a decision. */
export function birth(): number {
  return isInLoading() ? -1 : depth;
}

export function forgetChanges(): void {
  hasChanged = false;
}

/** Whether what a policy answers may differ from what it would have answered at first. */
export function hasChangedState(): boolean {
  return hasChanged;
}

export function objectChanges(): number {
  return changesSoFar;
}

/** Notes that a variable changes which was declared within `born` loops; see {@link birth}. */
export function write(born: number, value: unknown): unknown {
  if (born < 0) hasChanged = true;
  if (depth > 0 && born < depth) change ??= "a variable that a loop over a list changes";
  return value;
}

/** The same of a variable that the loop around it may change; see accumulating-loop.ts. */
export function accumulate(born: number, value: unknown): unknown {
  if (!isInFold()) return write(born, value);
  if (born < 0) hasChanged = true;
  return value;
}

/** Notes a change that a loop must not make. */
export function changes(what: string): void {
  if (depth > 0) change ??= what;
}

/** Notes that an object or array of the policy changes. */
export function changesObject(what: string): void {
  hasChanged = true;
  changesSoFar += 1;
  changes(what);
}

/**
 * The values that elements of a list give, for `for`. The loop is executed for any element first, in runs of their own,
 * to find in which cases an element leaves the loop. On a path, either no element is in these cases, and the loop
 * ends; or the first one is, and the body is executed for it. An element after which the loop goes on must not have
 * changed anything, so that it need not be executed.
 */
export class Loop implements IterableIterator<unknown> {
  /** What is reported about an element after which the loop goes on. */
  value: ElementValue = null;
  /** The number of the case of the part in which the element is. */
  index = 0;
  #cases: LoopCases | null = null;
  #state: "begun" | "any" | "first" | "done" = "begun";

  constructor(private readonly part: ListPart) {}

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
    const { list } = this.part;
    if (depth > 0) return notDecided("a loop over a list within another one");
    this.#cases = loopCases(loops++, list);
    if (this.#cases === null) {
      this.index = caseOf(this.part, anyElement(list));
      // An element that the part leaves out
      if (this.index === -1) return endPassed("absent");
      this.#state = "any";
      depth += 1;
      return this.#value(anyElement(list));
    }
    const { first, stops } = this.#cases;
    if (stops.length === 0 || !test({ kind: "some", of: list, where: stops, first })) {
      this.#state = "done";
      return DONE;
    }
    this.#state = "first";
    originate(first, { kind: "element", list, where: stops });
    this.index = caseOf(this.part, first);
    return this.#value(first);
  }

  #value(name: string): IteratorResult<unknown> {
    return { done: false, value: valueIn(this.part, this.part.cases[this.index], name) };
  }

  /** The body has left the loop. */
  return(): IteratorResult<unknown> {
    if (this.#state === "any") halt();
    this.#state = "done";
    return DONE;
  }

  /** For which element the body is executed: any, the first that leaves the loop, or none any more. */
  get isFor(): "any" | "first" | null {
    return this.#state === "any" || this.#state === "first" ? this.#state : null;
  }

  /** The cases of the elements after which the loop went on. */
  get passes(): LoopCases["passes"] {
    return this.#cases!.passes;
  }
}

const DONE = { done: true, value: undefined } as const;

/** The number of the case in which an element is; -1 for none. */
function caseOf({ list, cases }: ListPart, name: string): number {
  return cases.findIndex(({ where }) => areTrue(where.map((one) => renamed(one, anyElement(list), name))));
}

function areTrue(conditions: ElementCase): boolean {
  return conditions.every(({ atom, is }) => {
    // The types that a value can still have are kept beside the conditions
    return (atom.kind === "type" ? testType(atom.of, atom.among) : test(atom)) === is;
  });
}

function valueIn(part: ListPart, one: PartCase | undefined, name: string): unknown {
  if (one === undefined) return notDecided("an element of which the case is not known");
  const { value } = one;
  if (value === "element") return elementOf(part, name);
  return "constant" in value ? value.constant : joined(textTerms(value.text.map(renaming(part, name))));
}

function renaming({ list }: ListPart, name: string) {
  return (one: Extract<CaseValue, { text: unknown }>["text"][number]) => renamedText(one, anyElement(list), name);
}

/** The first value that elements of a list give, as an array of one; null if there is none. */
export function firstIn(part: ListPart): readonly [unknown] | null {
  const { list } = part;
  const where = part.cases.map((one) => one.where);
  if (where.length === 0) return null;
  const first = nameOf("first", list, where);
  if (!test({ kind: "some", of: list, where, first })) return null;
  originate(first, { kind: "element", list, where });
  const [one, ...others] = part.cases;
  const isSame = others.every(({ value }) => JSON.stringify(value) === JSON.stringify(one!.value));
  return [valueIn(part, isSame ? one : part.cases[caseOf(part, first)], first)];
}

/** Whether one of some cases holds: those in which a value is in an array. */
export function isThere(where: readonly ElementCase[]): boolean {
  const [only] = where;
  if (only === undefined) return false;
  if (where.some(({ length }) => length === 0)) return true;
  return where.length === 1 && only.length === 1 ? areTrue(only) : test({ kind: "any", where });
}

/** The most values of an array, and arrays, for which cases are found: each takes runs of its own. */
const MOST_ITEMS = 32;
const MOST_ARRAYS = 16;
let arrays = 0;

/**
 * What a function reports about each value that an array may have, by cases; null if it does anything else for one of
 * them, such as changing a variable or throwing an error: then it is to be called for each value on the path.
 */
export function itemCases(
  items: readonly ItemPart[],
  report: (index: number) => ElementValue,
): readonly LoopCases["passes"][] | null {
  if (depth > 0 || items.length > MOST_ITEMS || ++arrays > MOST_ARRAYS) return null;
  const told = itemLoop(loops++, items.length);
  if (typeof told !== "number") {
    return told.every(({ stops }) => stops.length === 0) ? told.map(({ passes }) => passes) : null;
  }
  depth += 1;
  try {
    if (!items[told]!.where.some(areTrue)) return endPassed("absent");
    const value = report(told);
    return value === null || change !== null ? halt() : endPassed(value);
  } catch {
    // The function throws an error
    return halt();
  }
}
