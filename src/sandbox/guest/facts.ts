import { UNKNOWN_FACT } from "../slots.js";
import { box } from "./host.js";
import { keyOf } from "./key.js";
import { settings } from "./settings.js";
import { beginning } from "./text.js";

/**
 * Facts are frozen objects and arrays whose prototype is a frozen copy of Object.prototype or Array.prototype. Behind that
 * copy stands a proxy: a read reaches it only for a property that neither the facts nor the copy have. It records the read
 * in the box, where no policy can take it back, and throws. Only [[Get]] is trapped. So `in`, Object.hasOwn, Object.keys,
 * spread, iteration and `instanceof` are as for any object, and a read of a fact that exists never reaches the proxy.
 *
 * The namespace of the virtual module inherits from such a proxy too, without a copy: a module's namespace has no methods.
 *
 * The lockdown deletes Proxy, and freezes the copies, the proxies and their targets.
 */

/** Limits on what is reported: characters of a misspelt name and of a stack, and names to compare it with. */
const MAX_NAME = 64;
const MAX_STACK = 2048;
const MAX_KNOWN = 128;

interface UnknownFact {
  readonly name: string;
  /** Whether it was read of the virtual module's namespace. */
  readonly isMember: boolean;
  /** The names that can be read instead. */
  readonly known: readonly string[];
  readonly stack: string;
}

let unknown: UnknownFact | null = null;

/** Returns the first unknown fact that the decision read, and clears it. */
export function takeUnknownFact(): UnknownFact | null {
  const taken = unknown;
  unknown = null;
  return box[UNKNOWN_FACT] === 0 ? null : taken;
}

export const OBJECT_FACTS = prototype(Object.prototype, ["Object.prototype"], () => false);
export const ARRAY_FACTS = prototype(Array.prototype, ["Object.prototype", "Array.prototype"], isIndex);

const NAMESPACE = guard(null, true, () => false);

/** Makes the namespace of the virtual module. */
export function makeNamespace<T extends object>(members: T): T {
  return Object.freeze(Object.setPrototypeOf(members, NAMESPACE));
}

/** Makes facts of a value that consists of JSON: sets the prototypes of all that is in it, and freezes it. */
export function makeFacts<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const key of Object.keys(value)) makeFacts((value as Record<string, unknown>)[key]);
  Object.setPrototypeOf(value, Array.isArray(value) ? ARRAY_FACTS : OBJECT_FACTS);
  return Object.freeze(value);
}

/** Makes a record of a JSON object whose keys are free, such as labels: it has these keys, and inherits none. */
export function makeRecord<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.setPrototypeOf(value, null);
  return Object.freeze(value);
}

/** A frozen copy of what the lockdown leaves of an intrinsic prototype and what that inherits, in front of a proxy. */
function prototype(intrinsic: object, places: readonly string[], mayBeAbsent: (key: string) => boolean): object {
  const copy = Object.create(guard(intrinsic, false, mayBeAbsent));
  const keys = new Set(places.flatMap((place) => settings.permits[place]!.split(" ").map(keyOf)));
  for (const key of keys) Object.defineProperty(copy, key, { value: (intrinsic as Record<PropertyKey, unknown>)[key] });
  return Object.freeze(copy);
}

/** A proxy that inherits from `prototype` and throws for a read of any other name. */
function guard(prototype: object | null, isMember: boolean, mayBeAbsent: (key: string) => boolean): object {
  const handler = Object.freeze({
    __proto__: null,
    get(_target: object, key: string | symbol, receiver: unknown): undefined {
      // JSON.stringify asks every object for `toJSON`
      if (typeof key === "symbol" || key === "toJSON" || mayBeAbsent(key)) return undefined;
      return readUnknown(key, isMember, receiver);
    },
  });
  return new Proxy(Object.freeze(Object.create(prototype)), handler as unknown as ProxyHandler<object>);
}

/** Whether a key is an array index: an array may be shorter than a policy expects. */
function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== 0xffff_ffff && String(index) === key;
}

/** Records a read of an unknown fact before anything that can fail, and throws. */
function readUnknown(key: string, isMember: boolean, receiver: unknown): never {
  const isFirst = box[UNKNOWN_FACT] === 0;
  box[UNKNOWN_FACT] = 1;
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
