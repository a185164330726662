import { termsIn, written } from "../arithmetic/expression.js";
import { ACCUMULATOR, rangeOfFold } from "../arithmetic/fold.js";
import { anyElement, type Expression } from "../shared/atom.js";
import { numberSymbol, SMALL } from "./arithmetic.js";
import { integer } from "./facts.js";
import { folded } from "./loops.js";
import { at, isPart, notDecided, originate } from "./path.js";
import { partsIn, wholeList } from "./sequences.js";
import { type ListPart, only, Sym, termOf } from "./term.js";
import { settled } from "./values.js";

const NEITHER =
  "a callback of `reduce`, or a loop, that gives neither a sum nor an extreme of its accumulator and numbers";

type Callback = (accumulator: unknown, element: unknown) => unknown;

/**
 * `reduce` of a list that is not known. The callback is executed for any element and accumulator, and the host
 * evaluates its expression for each element in order, so that the value is exact. It must be a sum or an extreme of the
 * accumulator and other numbers: then the bounds of the value are known, too.
 */
export function folding(part: ListPart, begun: unknown, callback: Callback): unknown {
  const { list } = part;
  // An element has another name if it is found to be the same as another one
  if (list.includes("[first")) return notDecided("`reduce` of a list in an element of a list that is not known");
  const initial = settled(begun);
  if (!isInitial(initial))
    return notDecided("`reduce` of a list that is not known, with an initial value that is no constant number");
  const accumulator = `${anyElement(list)} accumulator`;
  // No range of the accumulator is known, and no bound is derived from this one
  const range = { least: -SMALL, most: SMALL, isInteger: false };
  const expression = only(accumulator);
  const sum = new Sym({ k: "double", name: accumulator, expression, range, fold: ACCUMULATOR });
  const value = folded(part, (element) => settled(callback(sum, element)));
  const term = termOf(value);
  const fold = term?.k === "double" ? (term.fold ?? null) : null;
  if (fold === null || term?.k !== "double" || occurrences(term.expression, accumulator) !== 1)
    return notDecided(NEITHER);
  const all = rangeOfFold(fold, initial);
  if (all === null) return notDecided("`reduce` whose result may be infinite");
  // The solver knows the value if it is 0
  integer(`${list}.length`, 0n, 0xffff_ffffn);
  const name = nameOf(list, initial, accumulator, term.expression);
  originate(name, { kind: "folded", list, initial, accumulator, expression: term.expression });
  if (value === sum) return initial;
  return numberSymbol(name, only(name), all);
}

/** -0 has no form in JSON. */
function isInitial(value: unknown): value is number {
  return Number.isFinite(value) && !Object.is(value, -0);
}

/** Whether a loop over a list that is not known adds to a variable with a number that is known. */
export function isAccumulated(place: number, list: unknown, begun: unknown): boolean {
  at(place);
  return accumulatedList(list) !== null && isInitial(begun);
}

/** The value of the variable after such a loop: that of `reduce` with the body of the loop as callback. */
export function accumulated(place: number, list: unknown, begun: unknown, body: Callback): unknown {
  at(place);
  return folding(accumulatedList(list)!, begun, body);
}

function accumulatedList(value: unknown): ListPart | null {
  const parts = partsIn(settled(value));
  return parts === null ? null : wholeList(parts);
}

function namesIn(expression: Expression): readonly string[] {
  return termsIn(expression).flatMap(({ of }) => of.map(([, name]) => name));
}

function occurrences(expression: Expression, accumulator: string): number {
  return namesIn(expression).filter((name) => name.includes(accumulator)).length;
}

/** As JavaScript has it: `prog.maps.reduce((sum, one) => (sum + one.memory), 0)`. */
function nameOf(list: string, initial: number, accumulator: string, expression: Expression): string {
  const any = anyElement(list);
  for (const name of namesIn(expression))
    if (isPart(name.startsWith(any) ? name.slice(any.length) : name)) notDecided("this callback of `reduce`");
  const words = written(expression).replaceAll(accumulator, "sum").replaceAll(any, "one");
  return `${list}.reduce((sum, one) => ${words}, ${initial})`;
}
