import { UNKNOWN_FACT } from "../shared/buffer-layout.js";
import { integers } from "./host.js";
import { keyOf } from "./key.js";
import { settings } from "./settings.js";
import { beginning } from "./text.js";

/**
 * Facts are frozen objects and arrays whose prototype is a frozen copy of Object.prototype or Array.prototype. The
 * prototype of that copy is a proxy, which a read reaches only if neither the fact nor the copy has the property. The
 * proxy records the read in the shared buffer, where the policy cannot change it, and throws. Only [[Get]] is trapped,
 * so `in`, Object.hasOwn, Object.keys, spread, iteration and `instanceof` work as for any object, and reading an
 * existing fact never reaches the proxy.
 *
 * The namespace of the virtual module also inherits from such a proxy, but without a copy, since a module namespace has
 * no methods.
 *
 * The lockdown deletes Proxy, and freezes the copies, the proxies and their targets.
 */

/** Limits on reports: characters of an unknown name and of a stack, and number of names for a suggestion. */
const MAX_NAME = 64;
const MAX_STACK = 2048;
const MAX_KNOWN = 128;

interface UnknownFact {
  readonly name: string;
  /** Whether it was read from the virtual module's namespace. */
  readonly isMember: boolean;
  /** The names that exist on the same object. */
  readonly known: readonly string[];
  readonly stack: string;
}

let unknown: UnknownFact | null = null;

/** Returns the first unknown fact that the policy read in this decision, and clears it. */
export function takeUnknownFact(): UnknownFact | null {
  const taken = unknown;
  unknown = null;
  return integers[UNKNOWN_FACT] === 0 ? null : taken;
}

export const OBJECT_FACTS = prototype(Object.prototype, ["Object.prototype"], () => false);
export const ARRAY_FACTS = prototype(Array.prototype, ["Object.prototype", "Array.prototype"], isIndex);

const NAMESPACE = guard(null, true, () => false);

/** Makes an object the namespace of the virtual module. */
export function makeNamespace<T extends object>(members: T): T {
  return Object.freeze(Object.setPrototypeOf(members, NAMESPACE));
}

/**
 * Makes facts of a JSON value: sets the prototype of each object and array in it, and freezes them. What is frozen is
 * already facts: the objects for bytes, whose length is asked only by policies.
 */
export function makeFacts<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const key of Object.keys(value)) makeFacts((value as Record<string, unknown>)[key]);
  Object.setPrototypeOf(value, Array.isArray(value) ? ARRAY_FACTS : OBJECT_FACTS);
  return Object.freeze(value);
}

/** Makes a record of a JSON object with arbitrary keys, such as labels: it has these keys and inherits nothing. */
export function makeRecord<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.setPrototypeOf(value, null);
  return Object.freeze(value);
}

/**
 * A frozen copy of the permitted properties of an intrinsic prototype and of its own prototype; the copy inherits from
 * a proxy.
 */
function prototype(intrinsic: object, places: readonly string[], mayBeAbsent: (key: string) => boolean): object {
  const copy = Object.create(guard(intrinsic, false, mayBeAbsent));
  const keys = new Set(places.flatMap((place) => settings.permits[place]!.split(" ").map(keyOf)));
  for (const key of keys) Object.defineProperty(copy, key, { value: (intrinsic as Record<PropertyKey, unknown>)[key] });
  return Object.freeze(copy);
}

/** A proxy that inherits from `prototype` and throws when any other name is read. */
function guard(prototype: object | null, isMember: boolean, mayBeAbsent: (key: string) => boolean): object {
  const handler = Object.freeze({
    __proto__: null,
    get(_target: object, key: string | symbol, receiver: unknown): undefined {
      // JSON.stringify reads `toJSON` of every object
      if (typeof key === "symbol" || key === "toJSON" || mayBeAbsent(key)) return undefined;
      return readUnknown(key, isMember, receiver);
    },
  });
  return new Proxy(Object.freeze(Object.create(prototype)), handler as unknown as ProxyHandler<object>);
}

/** Whether a key is an array index: reading past the end of an array is allowed. */
function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== 0xffff_ffff && String(index) === key;
}

/** Records a read of an unknown fact, before anything that can fail, and throws. */
function readUnknown(key: string, isMember: boolean, receiver: unknown): never {
  const isFirst = integers[UNKNOWN_FACT] === 0;
  integers[UNKNOWN_FACT] = 1;
  if (isFirst) unknown = null;
  const name = beginning(key, MAX_NAME);
  const error = new TypeError(`the ${isMember ? "name" : "fact"} \`${name}\` does not exist`);
  if (isFirst)
    unknown = { name, isMember, known: knownNames(receiver), stack: beginning(error.stack ?? "", MAX_STACK) };
  throw error;
}

function knownNames(receiver: unknown): string[] {
  if (typeof receiver !== "object" || receiver === null) return [];
  const inherited = Object.getPrototypeOf(receiver);
  if (inherited === NAMESPACE) return Object.getOwnPropertyNames(receiver).slice(0, MAX_KNOWN);
  if (inherited === ARRAY_FACTS) return Object.getOwnPropertyNames(ARRAY_FACTS);
  if (inherited !== OBJECT_FACTS) return [];
  return [...Object.getOwnPropertyNames(receiver), ...Object.getOwnPropertyNames(OBJECT_FACTS)].slice(0, MAX_KNOWN);
}
