import { deferred, entryOf, factOf, integer, isKnown, view } from "./facts.js";
import { isNative, nativeStatic } from "./intrinsics.js";
import { changesObject, objectChanges } from "./loops.js";
import { jsonProperty } from "./map-values.js";
import { namespace } from "./namespace.js";
import { at, beginning, fault, notDecided, raise, test, testType } from "./path.js";
import { firstOf, knownArray, literal, numberOfElements, partsIn, restLength, restOf, through } from "./sequences.js";
import { isSymbol, type Term, termOf } from "./term.js";
import { lengthOf, splitMember, unitAt } from "./text-methods.js";
import { isUnknownFact, unknownFact } from "./unknown-fact.js";
import { isNullish, isPrimitive, settled } from "./values.js";

const { getPrototypeOf, hasOwn } = Object;
/** The names that objects of the policy inherit. */
const OBJECT_NAMES = beginning.inherited.object;
const INDEX = /^(?:0|[1-9]\d*)$/;

/** Whether a value is an object that the policy made by `{…}`, with properties that hold values. */
export function isPlain(value: unknown): value is Record<PropertyKey, unknown> {
  if (typeof value !== "object" || value === null || isSymbol(value) || value === namespace) return false;
  const prototype = getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isNative(value);
}

/** The functions that objects inherit under these names. */
const OBJECT_FUNCTIONS: ReadonlySet<unknown> = new Set(
  OBJECT_NAMES.map((name) => (Object.prototype as unknown as Readonly<Record<string, unknown>>)[name]).filter(
    (value) => typeof value === "function",
  ),
);

/** Whether a value is a function that objects inherit, such as what `TABLE[name]` is for the name `toString`. */
export function isInheritedFunction(value: unknown): boolean {
  return OBJECT_FUNCTIONS.has(value);
}

/** A property key (ECMA-262, 7.1.19): a string or a symbol of JavaScript, or a symbol of the explorer, a text. */
function keyOf(key: unknown): unknown {
  const its = settled(key);
  if (typeof its === "number" || typeof its === "boolean" || its === null || its === undefined) return String(its);
  if (typeof its === "string" || typeof its === "symbol" || termOf(its)?.k === "text") return its;
  return notDecided("a key that is neither a text nor a constant");
}

/** The key of a computed property of an object literal. */
export function key(place: number, value: unknown): PropertyKey {
  at(place);
  const its = keyOf(value);
  return isSymbol(its) ? notDecided("a property whose name is not known") : (its as PropertyKey);
}

/** Reads a property (ECMA-262, 13.3.2). */
export function get(place: number, object: unknown, name: unknown): unknown {
  at(place);
  if (isNullish(object)) raise("TypeError", "cannot read a property of null or undefined");
  const its = view(object);
  const term = termOf(its);
  const at_ = keyOf(name);
  if (typeof at_ === "string" && isUnknownFact(its, at_)) return unknownFact(its, at_);
  return term === null ? ofValue(its, at_) : ofTerm(term, its, at_);
}

function ofValue(object: unknown, key: unknown): unknown {
  if (object === namespace) return ofNamespace(key);
  if (isPlain(object)) return isSymbol(key) ? chosen(object, key) : ofPlain(object, key as PropertyKey);
  if (typeof key !== "string") return notDecided("a key that is not known");
  if (Array.isArray(object)) {
    if (key === "length") return object.length;
    if (hasOwn(object, key)) return object[key as never];
    return INDEX.test(key) ? undefined : notDecided(`\`${key}\` of an array`);
  }
  if (typeof object === "string") {
    if (key === "length") return object.length;
    if (INDEX.test(key)) return object[key as never];
  }
  if (isPrimitive(object)) return ofPrimitive(typeof object, key);
  if (isNative(object) || OBJECT_FUNCTIONS.has(object)) return nativeStatic(object as object, key);
  return notDecided(`\`${key}\` of a ${typeof object}`);
}

function ofPlain(object: Record<PropertyKey, unknown>, key: PropertyKey): unknown {
  if (hasOwn(object, key)) return object[key];
  return key in object ? inheritedBy(object, String(key)) : undefined;
}

/** A function that an object inherits; what else it may inherit, such as its prototype, is left out. */
function inheritedBy(object: object, key: string): unknown {
  const value = (object as Readonly<Record<string, unknown>>)[key];
  return OBJECT_FUNCTIONS.has(value) ? value : notDecided(`the inherited property \`${key}\``);
}

function ofNamespace(key: unknown): unknown {
  if (typeof key === "string" && hasOwn(namespace, key)) return namespace[key];
  if (typeof key !== "string" || key === "toJSON") return notDecided("a name of the virtual module");
  return fault("UNKNOWN_FACT", `the name \`${key}\``);
}

/** The property of an object whose name is a text that is not known: each name that the object has is tried. */
function chosen(object: Record<PropertyKey, unknown>, key: unknown): unknown {
  const { name: of } = termOf(key) as { name: string };
  for (const own of Object.keys(object)) if (test({ kind: "equals", of, text: own })) return object[own];
  if (Object.getOwnPropertyNames(object).length !== Object.keys(object).length)
    return notDecided("a property that is not enumerable");
  if (getPrototypeOf(object) === null) return undefined;
  for (const inherited of OBJECT_NAMES)
    if (test({ kind: "equals", of, text: inherited })) return inheritedBy(object, inherited);
  return undefined;
}

/** A property of a string, a number, a boolean or an array, apart from characters and elements. */
function ofPrimitive(type: string, key: string): unknown {
  const inherited = beginning.inherited[type as "string"];
  if (inherited === undefined || inherited.includes(key) || INDEX.test(key) || key === "length")
    return notDecided(`\`${key}\` of this ${type}`);
  return undefined;
}

function ofTerm(term: Term, value: unknown, key: unknown): unknown {
  if (typeof key !== "string") return notDecided("a key that is not known");
  switch (term.k) {
    case "object":
      if (hasOwn(term.fields, key)) return factOf(`${term.name}.${key}`, term.fields[key]!);
      return notDecided(`the inherited property \`${key}\``);
    case "lazy":
      if (hasOwn(term.fields, key)) return term.fields[key]!();
      return notDecided(`the inherited property \`${key}\``);
    case "record":
      return entryOf(term.name, term.of, key);
    case "list":
    case "sequence":
      return ofParts(value, key);
    case "rest":
      return key === "length" ? restLength(term) : notDecided(`\`${key}\` of a list that is not known`);
    case "deferred":
    case "changing":
      return notDecided("a fact that was not read");
    case "pattern":
      return notDecided(`\`${key}\` of a regular expression`);
    case "bytes":
      if (key === "length") return integer(`${term.name}.length`, 0n, BigInt(Number.MAX_SAFE_INTEGER));
      return notDecided(`\`${key}\` of bytes`);
    case "text":
      if (key === "length") return lengthOf(term.name);
      return INDEX.test(key) && Number(key) < MOST_UNITS ? unitAt(term.name, Number(key)) : ofPrimitive("string", key);
    case "split":
      return splitMember(value as object, term, key);
    case "written":
    case "each":
    case "quoted":
    case "stringified":
    case "unknown":
    case "joined":
    case "reason":
      return ofPrimitive("string", key);
    case "integer":
    case "double":
      return ofPrimitive("number", key);
    case "json":
      return ofJson(term.name, value, key);
  }
}

function ofParts(value: unknown, key: string): unknown {
  const parts = partsIn(value)!;
  if (key === "length") return numberOfElements(parts);
  if (key === "0") return firstOf(parts)?.[0];
  const array = knownArray(value);
  return array === null ? notDecided(`\`${key}\` of a list that is not known`) : ofValue(array, key);
}

function ofJson(name: string, value: unknown, key: string): unknown {
  if (testType(name, ["object"])) {
    if (OBJECT_NAMES.includes(key) || key === "__proto__")
      return notDecided(`the property \`${key}\` of a value of a map`);
    return jsonProperty(name, key);
  }
  // A name that nothing inherits is undefined for all other types
  const inherited = Object.values(beginning.inherited).some((names) => names.includes(key));
  if (!inherited && !INDEX.test(key) && key !== "length" && key !== "__proto__") return undefined;
  if (testType(name, ["array"]))
    return key === "length" || key === "0" ? ofParts(value, key) : ofPrimitive("array", key);
  const its = settled(value);
  const term = termOf(its);
  return term === null ? ofValue(its, key) : ofTerm(term, its, key);
}

/** `key in object`, and whether an object has a property of its own. */
export function propertyExists(object: unknown, key: unknown, isOwn = false): boolean {
  const its = view(object);
  const name = keyOf(key);
  const term = termOf(its);
  if (isOwn && isPlain(its) && isSymbol(name)) return hasSome(its, termOf(name) as { readonly name: string });
  if (typeof name !== "string") return notDecided("a key that is not known");
  if (isUnknownFact(its, name)) return false;
  if (term === null) {
    if (isPlain(its)) return isOwn ? hasOwn(its, name) : name in its;
    return isPrimitive(its) && !isOwn ? raise("TypeError", "`in` of no object") : notDecided("`in` of this object");
  }
  if (term.k === "object" || term.k === "lazy") {
    if (term.k === "object" && hasOwn(term.fields, name) && term.fields[name]!.kind === "unknown or")
      return isKnown(`${term.name}.${name}`);
    if (hasOwn(term.fields, name)) return true;
    if (isOwn) return false;
    return OBJECT_NAMES.includes(name) ? notDecided(`whether \`${name}\` is in a fact`) : false;
  }
  if (term.k === "record") return entryOf(term.name, term.of, name) !== undefined;
  return notDecided("`in` of this value");
}

/** Whether an object has a property of its own under a key that is a text which is not known. */
function hasSome(object: object, { name: of }: { readonly name: string }): boolean {
  return Object.getOwnPropertyNames(object).some((text) => test({ kind: "equals", of, text }));
}

/** Assigns to a property of an object or array that the policy made. */
export function set(place: number, object: unknown, name: unknown, value: unknown): unknown {
  at(place);
  const its = knownArray(object) ?? view(object);
  const at_ = keyOf(name);
  // No array gets holes: methods leave them out
  const isIndex = Array.isArray(its) && typeof at_ === "string" && INDEX.test(at_) && Number(at_) <= its.length;
  if (typeof at_ !== "string" || at_ === "__proto__" || (!isIndex && !isPlain(its)))
    return notDecided("an assignment to a property of this object");
  if (Object.isFrozen(its)) return notDecided("an assignment to a frozen object");
  changesObject("an object that a loop over a list changes");
  (its as Record<string, unknown>)[at_] = value;
  return value;
}

/** The most units of a text that are told apart. */
const MOST_UNITS = 1_000;

/** The own properties of an object that are spread into another. */
export function properties(place: number, value: unknown): object {
  at(place);
  const its = view(value);
  if (its === null || its === undefined) return {};
  return isPlain(its) ? its : notDecided("`...` of this value");
}

/** What `for` loops over. */
export function each(place: number, value: unknown): Iterable<unknown> {
  at(place);
  const its = settled(value);
  const parts = partsIn(its);
  return parts === null ? elements(place, value) : through(parts, its);
}

/** What `...` puts into an array literal. */
export function spread(place: number, value: unknown): unknown {
  at(place);
  const its = settled(value);
  const parts = partsIn(its);
  // What comes later in the literal may change the array
  return parts === null ? [...elements(place, its)] : restOf(parts, 0);
}

/** An array literal with `...` in it. */
export function array(place: number, parts: readonly (readonly [isSpread: boolean, value: unknown])[]): unknown {
  at(place);
  return literal(parts);
}

/** Interfaces of facts whose properties always have the order of their declaration. */
const ORDERED: ReadonlySet<string> = new Set(["Effects"]);

/** The names of an object's properties with their values, in order; null if they are not known. */
export function entriesOf(value: unknown): readonly (readonly [string, unknown])[] | null {
  const its = knownArray(value) ?? view(value);
  if (isPlain(its) || Array.isArray(its)) return Object.entries(its);
  const term = termOf(its);
  if (term?.k !== "object" || !ORDERED.has(term.declared ?? "")) return null;
  return Object.entries(term.fields).map(([name, domain]) => [name, deferred(`${term.name}.${name}`, domain)]);
}

/** The names of properties that `for … in` loops over: nothing that is inherited is enumerable. */
export function keys(place: number, value: unknown): readonly string[] {
  at(place);
  const its = settled(value);
  if (its === null || its === undefined || typeof its === "number" || typeof its === "boolean") return [];
  const entries = Array.isArray(its) ? null : entriesOf(its);
  return entries === null ? notDecided("the properties of this value") : entries.map(([name]) => name);
}

/**
 * What a pattern takes elements of: an array, or a list that is not known. Default values are evaluated between the
 * elements; one that changes an array is not decided, since a pattern that has reached the end stays there.
 */
class TakenElements {
  readonly #changes = objectChanges();

  constructor(private readonly value: unknown) {}

  get of(): unknown {
    return this.#changes === objectChanges() ? this.value : notDecided("an array that changes while it is taken apart");
  }
}

export function indexed(place: number, value: unknown): TakenElements {
  at(place);
  const its = settled(value);
  const isTaken = partsIn(its) !== null || termOf(its)?.k === "split";
  return new TakenElements(isTaken ? its : elements(place, its));
}

/** An element that a pattern takes. */
export function element(place: number, taken: TakenElements, index: number): unknown {
  at(place);
  const { of } = taken;
  const term = termOf(of);
  if (term?.k === "split") return splitMember(of as object, term, String(index));
  const its = index === 0 ? view(of) : (knownArray(of) ?? view(of));
  if (Array.isArray(its)) return its[index];
  return index === 0 ? firstOf(partsIn(its)!)?.[0] : notDecided("an element of a list after the first");
}

/** The elements that a pattern takes from an index on. */
export function rest(place: number, taken: TakenElements, index: number): unknown {
  at(place);
  const { of } = taken;
  const its = view(of);
  if (termOf(its)?.k === "split") return notDecided("the rest of the parts of a text");
  return Array.isArray(its) ? its.slice(index) : restOf(partsIn(its)!, index);
}

/** The elements of an array, for `...`, patterns and `for`. */
export function elements(place: number, value: unknown): readonly unknown[] {
  at(place);
  const its = knownArray(value) ?? settled(value);
  if (Array.isArray(its)) return its;
  if (typeof its === "string") return [...its];
  const term = termOf(its);
  return notDecided(term?.k === "list" ? "the elements of a list that is not known" : "the elements of this value");
}
