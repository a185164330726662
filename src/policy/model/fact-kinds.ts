import { PERMITS } from "../../sandbox/permits.js";
import { FACTS } from "./facts.gen.js";
import { PROPERTY_FACTS } from "./property-facts.js";

/**
 * The type of a fact, as facts.gen.ts writes it: the name of an interface of types/countersign.d.ts, `string`,
 * `number`, `boolean`, `scalar` (a number or a string), `record` (an object with arbitrary keys), or one of these
 * followed by `[]`. A `?` at the end means that it can be null. Of what a property gets there are also functions: `()`
 * follows the kind that they return, and `same()` is one that returns the kind of its first argument.
 */
export type Kind = string;

/** The kind of each fact, and of each key of the other objects that a property gets, by interface. */
export const KINDS = { ...FACTS, ...PROPERTY_FACTS } as const;

/** Inherited properties of each kind, which exist but are not facts. */
const OBJECT = inherited("Object.prototype", "toJSON");
const INHERITED: Readonly<Record<string, readonly string[]>> = {
  array: [...inherited("Array.prototype"), ...OBJECT],
  string: [...inherited("String.prototype"), ...OBJECT],
  number: [...inherited("Number.prototype"), ...OBJECT],
  boolean: [...inherited("Boolean.prototype"), ...OBJECT],
};

function inherited(place: string, ...more: readonly string[]): readonly string[] {
  return [...PERMITS[place]!.split(" ").filter((key) => !key.startsWith("@@")), ...more];
}

const INDEX = /^(?:0|[1-9]\d*)$/;

/** The kind without the mark `?`. */
export function withoutNull(kind: Kind): Kind {
  return kind.replace(/\?$/, "");
}

/** The kind of an array's elements; null if the kind is not an array. */
export function elementOf(kind: Kind): Kind | null {
  return kind.endsWith("[]") ? kind.slice(0, -2) : null;
}

/** Whether it is an object with facts: not an array, a record or a primitive. */
export function isFacts(kind: Kind): kind is keyof typeof KINDS {
  return Object.hasOwn(KINDS, kind);
}

/** Whether it is a function. */
export function isCallable(kind: Kind): boolean {
  return kind.endsWith("()");
}

/** The kind of a property; null for a property that exists and is not a fact; undefined if it does not exist. */
export function propertyOf(kind: Kind, name: string): Kind | null | undefined {
  if (isFacts(kind)) {
    const facts: Readonly<Record<string, Kind>> = KINDS[kind];
    if (Object.hasOwn(facts, name)) return withoutNull(facts[name]!);
    return OBJECT.includes(name) ? null : undefined;
  }
  if (kind === "record" || kind === "scalar" || isCallable(kind)) return null;
  const element = elementOf(kind);
  if (INDEX.test(name) && (element !== null || kind === "string")) return element;
  return INHERITED[element === null ? kind : "array"]!.includes(name) ? null : undefined;
}

/** Names of all properties of a kind, facts first. */
export function propertiesOf(kind: Kind): readonly string[] {
  if (isFacts(kind)) return [...Object.keys(KINDS[kind]), ...OBJECT];
  return INHERITED[elementOf(kind) === null ? kind : "array"] ?? [];
}

/** A kind in words: `Program`, `an array`, `a string`. */
export function nameOf(kind: Kind): string {
  if (isFacts(kind)) return kind;
  return elementOf(kind) === null ? `a ${kind}` : "an array";
}
