import { OPERATIONS } from "../arithmetic/operations.js";
import type { TextPart } from "../shared/atom.js";
import { alone, compute } from "./arithmetic.js";
import { ITERATIONS, reduced } from "./array-loops.js";
import { view } from "./facts.js";
import { folding } from "./folding.js";
import { CONCRETE_FUNCTIONS, CONCRETE_STRING_METHODS, functionName, MOVING_ARRAY_METHODS } from "./intrinsics.js";
import { jsonOf } from "./json-text.js";
import { changesObject } from "./loops.js";
import { entriesOf, get, isPlain, propertyExists } from "./members.js";
import { isWithin } from "./numbers.js";
import { isEqual } from "./operators.js";
import { at, beginning, here, markMade, notDecided, raise, test, testType } from "./path.js";
import {
  ASKING,
  containsText,
  firstOf,
  isItem,
  itemsOf,
  joinedParts,
  knownArray,
  literal,
  MAKING,
  partsIn,
  restOf,
  through,
  wholeList,
} from "./sequences.js";
import { changedText, numberAsText } from "./shown-text.js";
import { type Part, partsOf, Sym, type Term, termOf } from "./term.js";
import { isTextMethod, splitMethod, textMethod } from "./text-methods.js";
import { testTexts } from "./text-tests.js";
import { isUnknownFact } from "./unknown-fact.js";
import { isConcrete, isPrimitive, joined, settled, stringParts, textParts, truthy } from "./values.js";

type Call = (...given: unknown[]) => unknown;

/** Functions that the policy wrote, with the number of their parameters: their operations are calls of the explorer. */
const written = new WeakMap<object, number>();
/** The functions of the virtual module. */
const helpers = new WeakSet<object>();

/** The names that texts inherit. */
const STRING_NAMES = beginning.inherited.string;

/** Marks a function of the policy. A rest parameter counts as infinitely many. */
export function own<T extends object>(value: T, parameters: number): T {
  written.set(value, parameters);
  return value;
}

/** The number of parameters of a function of the policy; that of any other function is taken to be infinite. */
export function parametersOf(value: object): number {
  return value === Boolean ? 1 : (written.get(value) ?? Infinity);
}

export function addHelper<T extends object>(helper: T): T {
  helpers.add(helper);
  return helper;
}

export function call(place: number, callee: unknown, given: readonly unknown[], self?: unknown): unknown {
  at(place);
  const its = settled(callee);
  if (typeof its !== "function") return raise("TypeError", "not a function");
  if (written.has(its)) {
    const result = (its as Call & { call: Call }).call(self, ...given);
    at(place);
    return result;
  }
  if (helpers.has(its)) return (its as Call)(...given);
  const modelled = MODELLED.get(its as never);
  if (modelled !== undefined) return modelled(...given);
  if (!CONCRETE_FUNCTIONS.has(its)) return notDecided(functionName(its));
  const values = given.map(view);
  if (!values.every(isPrimitive)) return ofUnknown(its, values);
  return native(() => (its as Call)(...values));
}

/** Calls the engine's own function. An error of it is one that the policy gets. */
function native(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof URIError) markMade(error);
    throw error;
  }
}

/** Functions of JavaScript that the explorer computes itself. */
const MODELLED: ReadonlyMap<unknown, Call> = new Map<unknown, Call>([
  [Boolean, (value) => truthy(here(), value)],
  [String, (...given) => (given.length === 0 ? "" : joined(textParts(given[0])))],
  [Array.isArray, (value) => isArray(value)],
  [Number.isInteger, (value) => isInteger(value)],
  [Number.isSafeInteger, (value) => isInteger(value) && isSafeInteger(value)],
  [JSON.stringify, (value, ...more) => jsonOf(value, ...more)],
  [Object.hasOwn, (object, key) => propertyExists(object, key, true)],
  [Object.keys, (object) => properties(object).map(([name]) => name)],
  [Object.values, (object) => properties(object).map(([, value]) => value)],
  [Object.entries, (object) => properties(object).map(([...entry]) => entry)],
  [Object.freeze, (object) => frozen(object)],
]);

function frozen(value: unknown): unknown {
  if (isPrimitive(value)) return value;
  if (!isPlain(value) && !Array.isArray(value)) return notDecided("`Object.freeze` of this value");
  changesObject("an object that a loop over a list freezes");
  return Object.freeze(value);
}

function properties(value: unknown): readonly (readonly [string, unknown])[] {
  return entriesOf(value) ?? notDecided("the properties of this value");
}

function isArray(value: unknown): boolean {
  const its = view(value);
  const term = termOf(its);
  if (term === null) return Array.isArray(its);
  if (term.k === "json") return testType(term.name, ["array"]);
  return term.k === "list" || term.k === "sequence" || term.k === "rest" || term.k === "split";
}

function isInteger(value: unknown): boolean {
  const its = settled(value);
  const term = termOf(its);
  if (term === null) return Number.isInteger(its);
  if (term.k === "double") return term.range.isInteger || test({ kind: "integer", of: term.name });
  return term.k === "integer";
}

function isSafeInteger(integer: unknown): boolean {
  const its = settled(integer);
  const term = termOf(its);
  if (term?.k !== "double") return term !== null || Number.isSafeInteger(its);
  return isWithin(alone(term.name), BigInt(Number.MIN_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER));
}

/** Functions that are operations on numbers, by the engine's function. */
const NUMBER_FUNCTIONS: ReadonlyMap<unknown, string> = new Map(
  Object.keys(OPERATIONS)
    .filter((name) => name.startsWith("Math."))
    .map((name) => [Math[name.slice("Math.".length) as "floor"], name]),
);

/** A function of JavaScript with a value that is not known. */
function ofUnknown(callee: object, values: readonly unknown[]): unknown {
  const operation = NUMBER_FUNCTIONS.get(callee);
  const name = functionName(callee);
  if (operation === undefined) return notDecided(`${name} with a value that is not known`);
  const numbers = values.slice(0, OPERATIONS[operation]!.takes).map(settled);
  return values.length > 2 ? notDecided(`${name} of more than two numbers`) : compute(operation, numbers);
}

/** Calls a method. A property of an object is read before the arguments are evaluated, which may change it. */
export function callMethod(
  place: number,
  object: unknown,
  key: unknown,
  argumentsOf: () => readonly unknown[],
): unknown {
  at(place);
  const holder = settled(object);
  const isRead = typeof key !== "string" || !hasFixedMethods(holder) || isUnknownFact(holder, key);
  const method = isRead ? get(place, holder, key) : null;
  const given = argumentsOf();
  at(place);
  return isRead ? call(place, method, given, holder) : callFixed(place, settled(holder), key, given);
}

/** Whether a policy cannot change the methods of a value, and reading one has no effect. */
function hasFixedMethods(value: unknown): boolean {
  const term = termOf(value);
  if (term !== null) return !HOLDERS.has(term.k);
  if (isPrimitive(value)) return value !== null && value !== undefined;
  return Array.isArray(value) || value instanceof Set || value instanceof Map;
}

const HOLDERS: ReadonlySet<Term["k"]> = new Set<Term["k"]>(["object", "lazy", "record"]);

function callFixed(place: number, its: unknown, key: string, given: readonly unknown[]): unknown {
  const term = termOf(its);
  if (Array.isArray(its)) return ofArray(place, its, key, given);
  if (typeof its === "string") return ofString(its, key, given);
  if (typeof its === "number") return ofNumber(place, its, key, given);
  if ((term?.k === "text" || term?.k === "joined") && STRING_NAMES.includes(key))
    return ofText(term, stringParts(its)!, key, given);
  if (term?.k === "split") return splitMethod(its as object, term, key, given);
  if (its instanceof Set || its instanceof Map) return ofCollection(its, key, given);
  if (term?.k === "pattern" && key === "test" && given.length === 1) return matches(term, given[0]);
  if (term?.k === "integer" || term?.k === "double") return ofNumber(place, its, key, given);
  const parts = partsIn(its);
  if (parts !== null) return ofParts(place, parts, its, key, given);
  return call(place, get(place, its, key), given, its);
}

function ofString(text: string, key: string, given: readonly unknown[]): unknown {
  if (!CONCRETE_STRING_METHODS.has(key)) return notDecided(`\`${key}\` of a string`);
  if (Object.hasOwn(TESTS, key) && !given.every(isPrimitive)) return ofText(null, [text], key, given);
  if (!given.every(isPrimitive))
    return changedText(null, key, given) ?? notDecided(`\`${key}\` with a value that is not known`);
  return native(() => (text as unknown as Readonly<Record<string, Call>>)[key]!(...given));
}

function ofNumber(place: number, its: unknown, key: string, given: readonly unknown[]): unknown {
  const shown = numberAsText(its, key, given);
  return shown ?? call(place, get(place, its, key), given, its);
}

function matches({ native, source, flags }: Extract<Term, { k: "pattern" }>, value: unknown): boolean {
  const its = settled(value);
  const text = termOf(its);
  if (text?.k === "text") return test({ kind: "regex", of: text.name, text: source, flags });
  return isPrimitive(its) ? native.test(its as string) : notDecided("a regular expression and this value");
}

/** A regular expression of the policy. */
export function pattern(place: number, native: RegExp, source: string, flags: string): Sym {
  at(place);
  return new Sym({ k: "pattern", native, source, flags });
}

const TESTS = { startsWith: "starts", endsWith: "ends", includes: "includes" } as const;

function ofText(term: Term | null, text: readonly TextPart[], key: string, given: readonly unknown[]): unknown {
  if (!Object.hasOwn(TESTS, key)) {
    const shown = term?.k === "text" && isTextMethod(key) ? null : changedText(term, key, given);
    if (shown !== null) return shown;
  }
  if (!Object.hasOwn(TESTS, key) && term?.k === "text") return textMethod(term.name, key, given);
  if (!Object.hasOwn(TESTS, key) || given.length > 1) return notDecided(`\`${key}\` of a text that is not known`);
  return testTexts(TESTS[key as keyof typeof TESTS], text, partsOf(textParts(given[0])));
}

/** A method of an array with elements that are not known. */
function ofParts(
  place: number,
  parts: readonly Part[],
  value: unknown,
  key: string,
  given: readonly unknown[],
): unknown {
  const [first, self] = given;
  if (key === "includes" && given.length === 1) return contains(parts, first);
  if (key === "at" && given.length === 1 && first === 0) return firstOf(parts)?.[0];
  if (key === "slice" && given.length === 1 && Number.isSafeInteger(first) && (first as number) >= 0)
    return restOf(parts, first as number);
  if (key === "join" && given.length <= 1) {
    const [separator = ","] = given;
    return typeof separator === "string" ? joinedParts(parts, separator) : notDecided("`join` with this separator");
  }
  if (key === "reduce" && !parts.every(isItem)) return ofReduction(place, parts, given);
  const isLoop = Object.hasOwn(MAKING, key) || Object.hasOwn(ASKING, key);
  if (isLoop && typeof first !== "function") return raise("TypeError", "not a function");
  const isIndexed = isLoop && parametersOf(first as Call) > 1;
  if (isLoop && !isIndexed) {
    const each = (one: unknown) => call(place, first, [one, undefined, value], self);
    if (Object.hasOwn(ASKING, key)) return ASKING[key]!(place, { array: value, parts }, each);
    const made = MAKING[key]!(place, parts, each);
    if (made !== null) return made;
  }
  const array = knownArray(value);
  if (array !== null) return ofArray(place, array as unknown[], key, given);
  return notDecided(
    isIndexed ? "the index of an element of a list that is not known" : `\`${key}\` of a list that is not known`,
  );
}

/** `reduce` of a list that is not known, by a function of an accumulator and an element. */
function ofReduction(place: number, parts: readonly Part[], given: readonly unknown[]): unknown {
  const [callback, initial] = given;
  if (typeof callback !== "function") return raise("TypeError", "not a function");
  if (parametersOf(callback) > 2) return notDecided("the index of an element of a list that is not known");
  const list = wholeList(parts);
  if (list === null) return notDecided("`reduce` of an array with elements of a list that is not known");
  if (given.length < 2) return notDecided("`reduce` of a list that is not known, without an initial value");
  return folding(list, initial, (accumulator, element) => call(place, callback, [accumulator, element]));
}

function contains(parts: readonly Part[], value: unknown): boolean {
  const list = wholeList(parts);
  if (typeof value === "string" && list !== null && (list.of === null || list.of.kind === "text"))
    return containsText(list, value);
  for (const one of through(parts, null)) if (isEqual(one, value, true) || bothNaN(one, value)) return true;
  return false;
}

function ofArray(place: number, array: unknown[], key: string, given: readonly unknown[]): unknown {
  if (Object.hasOwn(array, key)) return notDecided("a method of its own of an array");
  const [first, second] = given;
  if (Object.hasOwn(ITERATIONS, key)) {
    if (typeof first !== "function") return raise("TypeError", "not a function");
    const made = key === "filter" ? filteredArray(place, array, given) : null;
    if (made !== null) return made;
    return ITERATIONS[key]!(array, (value, index) => call(place, first, [value, index, array], second));
  }
  if (key === "reduce") {
    if (typeof first !== "function") return raise("TypeError", "not a function");
    return reduced(array, given.slice(1), (before, value, index) => call(place, first, [before, value, index, array]));
  }
  if (key === "includes" && given.length === 1)
    return array.some((one) => isEqual(one, first, true) || bothNaN(one, first));
  if (key === "indexOf" && given.length === 1) return array.findIndex((one) => isEqual(one, first, true));
  if (key === "join") return joinedArray(array, first);
  if (key === "concat") return literal([array, ...given].map(concatenated));
  const isFrozen = CHANGING.has(key) && Object.isFrozen(array);
  if (!MOVING_ARRAY_METHODS.has(key) || isFrozen) return notDecided(`\`${key}\` of an array`);
  if (NUMBERS.has(key) && !isConcrete(given)) return notDecided(`\`${key}\` with a value that is not known`);
  if (CHANGING.has(key)) changesObject("an array that a loop over a list changes");
  return native(() => (array as unknown as Readonly<Record<string, Call>>)[key]!(...given));
}

/** Whether `concat` takes the elements of a value in its place (ECMA-262, 23.1.3.2.1), and the value. */
function concatenated(value: unknown): readonly [isSpread: boolean, value: unknown] {
  if (!isArray(value)) return [false, value];
  const its = settled(value);
  const isKnown = Array.isArray(view(its)) || partsIn(its) !== null;
  return isKnown ? [true, its] : notDecided("`concat` of a list that is not known");
}

/** More values than this are not put on paths of their own by `filter`. */
const FEW = 3;

function filteredArray(place: number, array: readonly unknown[], [callback, self]: readonly unknown[]): unknown {
  if (array.length <= FEW) return null;
  const each = (one: unknown, index?: number) => call(place, callback, [one, index, array], self);
  return MAKING.filter!(place, itemsOf(array), each);
}

const CHANGING: ReadonlySet<string> = new Set(["push", "pop", "shift", "unshift"]);

/** Methods whose arguments are converted to numbers. */
const NUMBERS: ReadonlySet<string> = new Set(["slice", "at"]);

function bothNaN(one: unknown, other: unknown): boolean {
  return Number.isNaN(one) && Number.isNaN(other);
}

function joinedArray(array: readonly unknown[], separator: unknown = ","): unknown {
  if (typeof separator !== "string") return notDecided("`join` with this separator");
  return joined(
    array.flatMap((one, index) => {
      const its = settled(one);
      const parts = its === null || its === undefined ? [""] : textParts(its);
      return index === 0 ? parts : [separator, ...parts];
    }),
  );
}

/** `has` and `get`: the value that is looked up is compared with each key. */
function ofCollection(
  its: Set<unknown> | Map<unknown, unknown>,
  key: string,
  [value, ...more]: readonly unknown[],
): unknown {
  if (more.length > 0 || (key !== "has" && !(key === "get" && its instanceof Map)))
    return notDecided(`\`${key}\` of a set or map`);
  for (const one of its.keys())
    if (isEqual(one, value, true) || bothNaN(one, value))
      return key === "has" ? true : (its as Map<unknown, unknown>).get(one);
  return key === "has" ? false : undefined;
}

const ERRORS: ReadonlySet<unknown> = new Set([Error, TypeError, RangeError]);

export function construct(place: number, callee: unknown, given: readonly unknown[]): object {
  at(place);
  if (ERRORS.has(callee)) return markMade(new (callee as new () => Error)());
  const [from] = given;
  const isEmpty = from === undefined || from === null;
  if (callee === Set && (isEmpty || isConcrete(from))) return new Set((from ?? []) as unknown[]);
  if (callee === Map && (isEmpty || isPairs(from))) return new Map((from ?? []) as [unknown, unknown][]);
  return notDecided("`new` of this function");
}

function isPairs(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  return value.every((pair) => Array.isArray(pair) && isPrimitive(pair[0]));
}
