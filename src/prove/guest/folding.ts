import { termsIn, written } from "../arithmetic/expression.js";
import { ACCUMULATOR, foldOfAll, foldOfText, rangeOfFold, textOfFold } from "../arithmetic/fold.js";
import {
  anyElement,
  type ElementCase,
  type Expression,
  type FoldedOrigin,
  type VariableChange,
} from "../shared/atom.js";
import { numberSymbol, SMALL } from "./arithmetic.js";
import { integer } from "./facts.js";
import { Loop } from "./loops.js";
import { elements } from "./members.js";
import { combined, constantTerm, multiple } from "./numbers.js";
import { at, beginFold, isPart, notDecided, originate, test, totalName } from "./path.js";
import { countOf, isItem, partsIn, through } from "./sequences.js";
import { type ListPart, only, Sym, termOf } from "./term.js";
import { isPrimitive, settled } from "./values.js";

const NEITHER = "a variable that a loop over a list changes otherwise than by a sum, an extreme or one constant";

/** The variables of a policy that a loop changes. */
interface Variables {
  readonly get: () => readonly unknown[];
  readonly set: (values: readonly unknown[]) => void;
}

/** What a loop loops over that changes variables. */
export function accumulating(
  place: number,
  value: unknown,
  get: Variables["get"],
  set: Variables["set"],
): Iterable<unknown> {
  at(place);
  const its = settled(value);
  const parts = partsIn(its);
  if (parts === null) return elements(place, value);
  const [only] = parts;
  return parts.length === 1 && !isItem(only!) ? new AccumulatingLoop(only!, { get, set }, false) : through(parts, its);
}

/** `reduce` of a list that is not known: a loop that changes its accumulator. */
export function folding(
  part: ListPart,
  begun: unknown,
  callback: (accumulator: unknown, element: unknown) => unknown,
): unknown {
  let value = begun;
  const set = ([next]: readonly unknown[]) => {
    value = next;
  };
  for (const element of new AccumulatingLoop(part, { get: () => [value], set }, true)) value = callback(value, element);
  return value;
}

/**
 * A loop over a list that is not known. The body is executed for any element with values of the variables that are not
 * known; the host evaluates what it computes of them for each element in order, so that they are exact.
 */
class AccumulatingLoop implements IterableIterator<unknown> {
  readonly #loop: Loop;
  #begun: readonly unknown[] = [];
  #unknown: readonly unknown[] = [];

  constructor(
    private readonly part: ListPart,
    private readonly variables: Variables,
    private readonly isReduce: boolean,
  ) {
    this.#loop = new Loop(part);
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<unknown> {
    const { get, set } = this.variables;
    if (this.#loop.isFor === "any")
      this.#loop.value = { changed: get().map((value, index) => changeOf(value, this.#unknown[index])) };
    if (this.#loop.isFor === null) this.#begun = get();
    const result = this.#loop.next();
    if (this.#loop.isFor === "any") {
      beginFold(this.isReduce);
      this.#unknown = this.#begun.map((begun, index) => unknownValue(begun, this.#accumulator(index)));
      set(this.#unknown);
    } else {
      for (const { value } of this.#loop.passes)
        if (typeof value === "object" && value !== null && "undecided" in value) return notDecided(value.undecided);
      set(this.#begun.map((begun, index) => this.#valueOf(begun, index)));
    }
    return result;
  }

  return(): IteratorResult<unknown> {
    return this.#loop.return();
  }

  #accumulator(index: number): string {
    return `${anyElement(this.part.list)} accumulator${index === 0 ? "" : ` ${index + 1}`}`;
  }

  /** The value of a variable after the loop, or for the first element that leaves it. */
  #valueOf(begun: unknown, index: number): unknown {
    const changes = this.#loop.passes.flatMap(({ where, value }) => {
      const change = typeof value === "object" && value !== null && "changed" in value ? value.changed[index]! : null;
      return change === null ? [] : [{ where, change }];
    });
    if (changes.length === 0) return begun;
    if (this.#loop.isFor === "first") return new Sym({ k: "changing", why: BEFORE });
    return this.#total(begun, this.#accumulator(index), changes);
  }

  #total(begun: unknown, accumulator: string, changes: readonly Changed[]): unknown {
    const { list } = this.part;
    const where = changes.map((one) => one.where);
    const isSure = where.some(({ length }) => length === 0);
    const isSome = () => test({ kind: "some", of: list, where, first: null });
    const constant = constantOf(changes);
    if (constant !== undefined) return isSome() ? constant : begun;
    const initial = settled(begun);
    if (!isInitial(initial)) return notDecided(NEITHER);
    const step = isSure ? null : stepOf(changes);
    if (step !== null && Math.abs(initial) <= LARGEST_BEGINNING && Number.isInteger(initial)) {
      const cases = where.map((one) => ({ where: one, value: "element" }) as const);
      const count = termOf(countOf({ ...this.part, cases, isWhole: false }));
      if (count?.k !== "integer") return initial;
      return new Sym(combined(constantTerm(BigInt(initial)), multiple(count, BigInt(step)), 1n));
    }
    return isSure || isSome() ? this.#folded(initial, accumulator, changes) : initial;
  }

  #folded(initial: number, accumulator: string, changes: readonly Changed[]): unknown {
    const { list } = this.part;
    // An element has another name if it is found to be the same as another one
    if (list.includes("[first")) return notDecided("`reduce` of a list in an element of a list that is not known");
    const cases = changes.map(({ where, change }) => {
      if ("constant" in change || occurrences(change.expression, accumulator) !== 1) return notDecided(NEITHER);
      return { where, expression: change.expression, fold: foldOfText(change.fold) };
    });
    const fold = foldOfAll(cases.map((one) => one.fold));
    if (fold === null) return notDecided(NEITHER);
    const range = rangeOfFold(fold, initial);
    if (range === null) return notDecided("`reduce` whose result may be infinite");
    // The solver knows the value if it is 0
    integer(`${list}.length`, 0n, 0xffff_ffffn);
    const all = cases.map(({ where, expression }) => ({ where, expression }));
    const origin: FoldedOrigin = { kind: "folded", list, initial, accumulator, cases: all };
    const isOfAll = all.length === 1 && all[0]!.where.length === 0;
    const name = isOfAll ? nameOf(list, initial, accumulator, all[0]!.expression) : totalName(origin);
    originate(name, origin);
    return numberSymbol(name, only(name), range);
  }
}

interface Changed {
  readonly where: ElementCase;
  readonly change: NonNullable<VariableChange>;
}

const BEFORE = "a variable that a loop over a list changes before an element that leaves it";

/** -0 has no form in JSON. */
function isInitial(value: unknown): value is number {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** A variable before the body is executed for any element. */
function unknownValue(begun: unknown, name: string): Sym {
  if (!isInitial(begun)) return new Sym({ k: "changing", why: NEITHER });
  // No range of the accumulator is known, and no bound is derived from this one
  const range = { least: -SMALL, most: SMALL, isInteger: false };
  return new Sym({ k: "double", name, expression: only(name), range, fold: ACCUMULATOR });
}

/** What the body has done to a variable. */
function changeOf(value: unknown, before: unknown): VariableChange {
  if (value === before) return null;
  const term = termOf(value);
  if (term === null && isPrimitive(value)) {
    const isText = typeof value === "string" || typeof value === "boolean" || value === null;
    return isText || isInitial(value) ? { constant: value as never } : notDecided(NEITHER);
  }
  // A number that is not -0 stays as it is
  if (term?.k === "double" && addedBy(term.expression) === 0) return null;
  const fold = term?.k === "double" ? term.fold : undefined;
  return fold && term?.k === "double" ? { expression: term.expression, fold: textOfFold(fold) } : notDecided(NEITHER);
}

/** The constant that all changes assign; undefined if they do something else. */
function constantOf([first, ...others]: readonly Changed[]): unknown {
  if (!("constant" in first!.change)) return undefined;
  const key = JSON.stringify(first!.change);
  return others.every(({ change }) => JSON.stringify(change) === key) ? first!.change.constant : undefined;
}

/** The small integer that all changes add; null if they do something else. */
function stepOf(changes: readonly Changed[]): number | null {
  const steps = new Set(changes.map(({ change }) => ("constant" in change ? null : addedBy(change.expression))));
  const [step = null] = steps;
  return steps.size === 1 ? step : null;
}

/** With a list of any length, such a sum is exact. */
const LARGEST_STEP = 1_000;
const LARGEST_BEGINNING = 2 ** 50;

function addedBy(expression: Expression): number | null {
  if (typeof expression === "number" || "constant" in expression) return null;
  const { operation, of } = expression;
  const number = of.find((one) => typeof one === "number");
  const isFirst = typeof of[0] === "number";
  const sign = operation === "+" ? 1 : operation === "-" && !isFirst ? -1 : 0;
  if (sign === 0 || number === undefined || !Number.isInteger(number) || Math.abs(number) > LARGEST_STEP) return null;
  const other = of[isFirst ? 1 : 0]!;
  const isAccumulator = typeof other === "object" && "constant" in other && other.of.length === 1;
  return isAccumulator && other.of[0]![1].includes(" accumulator") ? sign * number : null;
}

function namesIn(expression: Expression): readonly string[] {
  return termsIn(expression).flatMap(({ of }) => of.map(([, name]) => name));
}

/** How often a variable is in its own next value: other variables must not be in it. */
function occurrences(expression: Expression, accumulator: string): number {
  const names = namesIn(expression).filter((name) => name.includes("[*] accumulator"));
  return names.every((name) => name === accumulator) ? names.length : 0;
}

/** As JavaScript has it: `prog.maps.reduce((sum, one) => (sum + one.memory), 0)`. */
function nameOf(list: string, initial: number, accumulator: string, expression: Expression): string {
  const any = anyElement(list);
  for (const name of namesIn(expression))
    if (isPart(name.startsWith(any) ? name.slice(any.length) : name)) notDecided("this callback of `reduce`");
  const words = written(expression).replaceAll(accumulator, "sum").replaceAll(any, "one");
  return `${list}.reduce((sum, one) => ${words}, ${initial})`;
}
