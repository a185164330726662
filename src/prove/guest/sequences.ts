import { anyElement, type EachPart, type ElementCase, type ElementValue, type TextPart } from "../shared/atom.js";
import { factOf, integer, keepArray, view } from "./facts.js";
import { declareElement } from "./json-symbols.js";
import { firstIn, isThere, itemCases, Loop } from "./loops.js";
import { combined, constantTerm, type Integer, testNumber } from "./numbers.js";
import { nameOf, notDecided, originate, test, thereName, typesOf } from "./path.js";
import {
  type CaseValue,
  type ItemPart,
  type ListPart,
  type Part,
  partsOf,
  Sym,
  type Term,
  termOf,
  textTerms,
} from "./term.js";
import { joined, settled, stringParts, textParts, truthy } from "./values.js";

/** If at most so many values may be in an array, their number is counted on paths of their own. */
const FEW = 6;
const WHOLE = [{ where: [], value: "element" }] as const;
const ALWAYS: readonly ElementCase[] = [[]];

/** The parts of a list that is not known, or of an array with such elements; null for any other value. */
export function partsIn(value: unknown): readonly Part[] | null {
  const term: Term | null = termOf(view(value));
  if (term?.k === "sequence") return term.parts;
  if (term?.k === "list") return [{ list: term.name, of: term.of, cases: WHOLE, isWhole: true }];
  if (term?.k !== "json" || typesOf(term.name).join() !== "array") return null;
  return [{ list: term.name, of: null, cases: WHOLE, isWhole: true }];
}

/** The whole list that is the only part; null for anything else. */
export function wholeList(parts: readonly Part[]): ListPart | null {
  const [only] = parts;
  return parts.length === 1 && "list" in only! && only.cases === WHOLE ? only : null;
}

export function itemsOf(array: readonly unknown[]): readonly ItemPart[] {
  return array.map((value) => ({ where: ALWAYS, value }));
}

export function isItem(part: Part): part is ItemPart {
  return "where" in part;
}

/** An array of parts, which is an array of the sandbox if its elements are known. */
function arrayOf(parts: readonly Part[]): unknown {
  const left = parts.filter((part) => (isItem(part) ? part.where : part.cases).length > 0);
  const isKnown = left.every((part) => isItem(part) && part.where.some(({ length }) => length === 0));
  if (isKnown) return left.map((part) => (part as ItemPart).value);
  return new Sym({ k: "sequence", parts: left });
}

/** An array literal with `...` in it. */
export function literal(parts: readonly (readonly [isSpread: boolean, value: unknown])[]): unknown {
  return arrayOf(
    parts.flatMap(([isSpread, value]) => {
      if (!isSpread) return itemsOf([value]);
      return partsIn(value) ?? itemsOf(view(value) as readonly unknown[]);
    }),
  );
}

/** The array of the sandbox that a sequence of values is: whether each is in it is then a condition of the path. */
export function knownArray(value: unknown): readonly unknown[] | null {
  const term = termOf(view(value));
  if (term?.k !== "sequence" || !term.parts.every(isItem)) return null;
  const array = term.parts.filter(({ where }) => isThere(where)).map((part) => part.value);
  keepArray(value as Sym, array);
  return array;
}

/** The elements, for `for`. `array` has these parts: what is done with an element must not change it. */
export function* through(parts: readonly Part[], array: unknown): Generator<unknown, void> {
  for (const part of parts)
    if (!isItem(part)) yield* new Loop(part);
    else if (isThere(part.where)) {
      yield part.value;
      if (isChanged(array, parts)) notDecided("an array that changes during a loop over it");
    }
}

/** Whether an array has other elements than these parts. It can change only after it became one of the sandbox. */
function isChanged(array: unknown, parts: readonly Part[]): boolean {
  const its = view(array);
  if (!Array.isArray(its)) return false;
  const before = parts.filter(isItem).filter(({ where }) => isThere(where));
  return its.length !== before.length || before.some(({ value }, index) => value !== its[index]);
}

type Each = (element: unknown, index?: number) => unknown;

/** The first element as an array of one; null if there is none. */
export function firstOf(parts: readonly Part[]): readonly [unknown] | null {
  for (const part of parts) {
    const found = !isItem(part) ? firstIn(part) : isThere(part.where) ? ([part.value] as const) : null;
    if (found !== null) return found;
  }
  return null;
}

/** The number of elements. */
export function numberOfElements(parts: readonly Part[]): unknown {
  const unsure = parts.flatMap((part) =>
    isItem(part) && !part.where.some(({ length }) => length === 0) ? [part] : [],
  );
  let sum = constantTerm(0n);
  for (const part of parts) {
    if (!isItem(part)) sum = combined(sum, numberTerm(countOf(part)), 1n);
    else if (!unsure.includes(part) || (unsure.length <= FEW && isThere(part.where)))
      sum = combined(sum, constantTerm(1n), 1n);
  }
  if (unsure.length > FEW && isThere(unsure.flatMap(({ where }) => where)))
    sum = combined(sum, numberTerm(numberOfThose(unsure)), 1n);
  return sum.of.size === 0 ? Number(sum.constant) : new Sym(sum);
}

function numberTerm(value: unknown): Integer {
  return typeof value === "number" ? constantTerm(BigInt(value)) : (termOf(value) as Integer);
}

export function countOf({ list, cases, isWhole }: ListPart): unknown {
  if (isWhole) return integer(`${list}.length`, 0n, 0xffff_ffffn);
  const where = cases.map((one) => one.where);
  if (where.length === 0 || !test({ kind: "some", of: list, where, first: null })) return 0;
  const name = nameOf("count", list, where);
  originate(name, { kind: "count", list, where });
  return integer(name, 1n, 0xffff_ffffn);
}

/** How many of some values are in an array, of which at least one is. */
function numberOfThose(items: readonly ItemPart[]): unknown {
  const values = items.map(({ where }) => where);
  const name = thereName(values);
  originate(name, { kind: "there", values });
  return integer(name, 1n, BigInt(items.length));
}

/** The texts of all elements with a separator between them (ECMA-262, 23.1.3.18). */
export function joinedParts(parts: readonly Part[], separator: string): string | Sym {
  const each = parts.flatMap((part): EachPart[] => {
    if (isItem(part)) return itemText(part);
    const { list, cases } = part;
    return [{ list, cases: cases.map(({ where, value }) => ({ where, text: caseText(part, value) })) }];
  });
  return joined([{ k: "each", each: { separator, parts: each }, isThere: (place) => isTextOfAny(place, parts) }]);
}

/**
 * Empty if the value is not in the array on this path: converting it to text could throw an error that the policy never
 * gets.
 */
function itemText({ where, value }: ItemPart): EachPart[] {
  const mayFail = termOf(settled(value))?.k === "json";
  return mayFail && !isThere(where) ? [] : [{ where, text: joinText(value) }];
}

function caseText({ list, of }: ListPart, value: CaseValue): readonly TextPart[] {
  if (value !== "element") return "text" in value ? value.text : joinText(value.constant);
  if (of?.kind !== "text" && of?.kind !== "count") return notDecided("`join` of elements that may be no texts");
  return joinText(factOf(anyElement(list), of));
}

function joinText(value: unknown): readonly TextPart[] {
  const its = settled(value);
  return its === null || its === undefined ? [] : partsOf(textParts(its));
}

/** Whether the texts of all elements with a separator between them are not empty together. */
function isTextOfAny(place: number, parts: readonly Part[]): boolean {
  const first = firstOf(parts);
  if (first === null) return false;
  const [value] = first;
  const isText = value !== null && value !== undefined && truthy(place, joined(textParts(value)));
  return isText || notDecided("whether a text that is put together is empty");
}

function found(place: number, { parts, array }: Asked, each: Each, is: boolean): readonly [unknown] | null {
  for (const element of through(parts, array)) if (truthy(place, each(element)) === is) return [element];
  return null;
}

/** `filter` of an array with values that are not known; null if each value is to be asked on the path. */
function filtered(place: number, parts: readonly Part[], each: Each): unknown {
  const kept = ofItems(parts.filter(isItem), (value, index) => truthy(place, each(value, index)));
  if (kept === null) return null;
  return arrayOf(
    parts.map((part): Part => {
      if (isItem(part))
        return { where: kept.get(part)!.flatMap((one) => (one.value === true ? [one.where] : [])), value: part.value };
      const loop = new Loop(part);
      for (const element of loop) loop.value = truthy(place, each(element)) ? loop.index : false;
      const cases = loop.passes.flatMap(({ where, value }) =>
        typeof value === "number" ? [{ where, value: part.cases[value]!.value }] : [],
      );
      return { ...part, cases, isWhole: false };
    }),
  );
}

/** `map` of an array with values that are not known; null if each value is to be asked on the path. */
function mapped(parts: readonly Part[], each: Each): unknown {
  const given = ofItems(parts.filter(isItem), (value, index) => reported(each(value, index)));
  if (given === null) return null;
  return arrayOf(
    parts.flatMap((part): readonly Part[] => {
      if (isItem(part))
        return given.get(part)!.flatMap(({ where, value }) => {
          const its = caseValue(value);
          return its === null ? [] : [{ where: [where], value: knownValue(its) }];
        });
      const loop = new Loop(part);
      for (const element of loop) loop.value = reported(each(element));
      const cases = loop.passes.flatMap(({ where, value }) => {
        const its = caseValue(value);
        return its === null ? [] : [{ where, value: its }];
      });
      return [{ ...part, cases }];
    }),
  );
}

/** What a function gives for each value that an array may have; null if that is not found: see {@link itemCases}. */
function ofItems(items: readonly ItemPart[], report: (value: unknown, index: number) => ElementValue) {
  if (items.length === 0) return new Map<ItemPart, readonly never[]>();
  const passes = itemCases(items, (index) => report(items[index]!.value, index));
  return passes && new Map(items.map((item, index) => [item, passes[index]!] as const));
}

/** A value of `map` for the host; null if it is neither a text, null, nor a boolean. */
function reported(value: unknown): ElementValue {
  const its = settled(value);
  if (its === null || typeof its === "boolean") return { constant: its };
  const text = stringParts(its);
  return text === null ? null : { text };
}

/** The same of what the host has; null for an element that is not in the array. */
function caseValue(value: ElementValue): Exclude<CaseValue, "element"> | null {
  if (value === "absent") return null;
  if (typeof value === "object" && value !== null && !("changed" in value) && !("undecided" in value)) return value;
  return notDecided("`map` to values that are no texts");
}

function knownValue(value: Exclude<CaseValue, "element">): unknown {
  return "text" in value ? joined(textTerms(value.text)) : value.constant;
}

/** Methods that give an array; null if each of its values is to be asked on the path. */
export const MAKING: Readonly<Record<string, (place: number, parts: readonly Part[], each: Each) => unknown>> = {
  filter: filtered,
  map: (_, parts, each) => mapped(parts, each),
};

/** An array, and its parts. */
interface Asked {
  readonly array: unknown;
  readonly parts: readonly Part[];
}

/** Other methods that call a function for elements (ECMA-262, 23.1.3). */
export const ASKING: Readonly<Record<string, (place: number, asked: Asked, each: Each) => unknown>> = {
  some: (place, asked, each) => found(place, asked, each, true) !== null,
  every: (place, asked, each) => found(place, asked, each, false) === null,
  find: (place, asked, each) => found(place, asked, each, true)?.[0],
  forEach(_, { parts, array }, each) {
    for (const element of through(parts, array)) each(element);
  },
};

/** The elements from an index on. */
export function restOf(parts: readonly Part[], from: number): Sym {
  return new Sym(from === 0 ? { k: "sequence", parts } : { k: "rest", parts, from });
}

export function restLength({ parts, from }: Extract<Term, { k: "rest" }>): unknown {
  const left = combined(numberTerm(numberOfElements(parts)), constantTerm(BigInt(from)), -1n);
  if (testNumber(left, "<= 0")) return 0;
  return left.of.size === 0 ? Number(left.constant) : new Sym(left);
}

/** Whether a list of texts, or an array in a map, contains a text. */
export function containsText({ list, of }: ListPart, text: string): boolean {
  const any = anyElement(list);
  if (of === null) declareElement(any, list);
  else factOf(any, of);
  const isText = { atom: { kind: "type", of: any, among: ["string"] }, is: true } as const;
  const isSame = { atom: { kind: "equals", of: any, text }, is: true } as const;
  return test({ kind: "some", of: list, where: [of === null ? [isText, isSame] : [isSame]], first: null });
}
