import { PERMITS } from "../sandbox/permits.js";
import { FACTS } from "./facts.gen.js";

/**
 * What a fact is, as facts.gen.ts writes it: an interface of types/countersign.d.ts, `string`, `number`, `boolean`,
 * `record` (an object with free keys), or one of these with `[]` behind it. `?` stands behind what can be null.
 */
export type Kind = string;

/** What each kind inherits: properties that it has without being facts. */
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

/** Without the mark that it can be null. */
export function withoutNull(kind: Kind): Kind {
  return kind.replace(/\?$/, "");
}

/** The kind of an array's elements, or null for what is no array. */
export function elementOf(kind: Kind): Kind | null {
  return kind.endsWith("[]") ? kind.slice(0, -2) : null;
}

/** Whether it is an object with facts: not an array, a record or a primitive. */
export function isFacts(kind: Kind): kind is keyof typeof FACTS {
  return Object.hasOwn(FACTS, kind);
}

/** The kind of a property; null for one that is there and is no fact; undefined for one that does not exist. */
export function propertyOf(kind: Kind, name: string): Kind | null | undefined {
  if (isFacts(kind)) {
    const facts: Readonly<Record<string, Kind>> = FACTS[kind];
    if (Object.hasOwn(facts, name)) return withoutNull(facts[name]!);
    return OBJECT.includes(name) ? null : undefined;
  }
  if (kind === "record") return null;
  const element = elementOf(kind);
  if (INDEX.test(name) && (element !== null || kind === "string")) return element;
  return INHERITED[element === null ? kind : "array"]!.includes(name) ? null : undefined;
}

/** Names that a property can have, those of facts first. */
export function propertiesOf(kind: Kind): readonly string[] {
  if (isFacts(kind)) return [...Object.keys(FACTS[kind]), ...OBJECT];
  return INHERITED[elementOf(kind) === null ? kind : "array"] ?? [];
}

/** `Program`, `an array`, `a string`. */
export function nameOf(kind: Kind): string {
  if (isFacts(kind)) return kind;
  return elementOf(kind) === null ? `a ${kind}` : "an array";
}
