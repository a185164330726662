import { keyOf } from "./key.js";
import { allowOverride, describers } from "./overrides.js";

// Saved because the lockdown deletes these names
const { deleteProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const world: object = globalThis;

type Keyed = Record<PropertyKey, unknown>;

/**
 * Deletes everything that `permits` does not name, then freezes the rest with everything reachable from it. Properties
 * named in `overridable` can still be assigned on objects that inherit them. `rest` are objects of the guest that a
 * policy can reach; they are frozen too. Throws if the engine has a property that is neither permitted nor can be
 * deleted.
 */
export function lockDown(
  permits: Readonly<Record<string, string>>,
  overridable: Readonly<Record<string, string>>,
  rest: readonly object[],
): void {
  const rooms = new Map<object, Set<PropertyKey>>();
  const roots = hiddenRoots();
  for (const place of Object.keys(permits)) {
    const object = find(place, roots);
    if (object === null) continue;
    const kept = rooms.get(object) ?? new Set<PropertyKey>();
    for (const key of permits[place]!.split(" ")) kept.add(keyOf(key));
    rooms.set(object, kept);
  }
  for (const [object, kept] of rooms) prune(object as Keyed, kept);
  const allowed = new Map<unknown, ReadonlySet<PropertyKey> | null>();
  for (const place of Object.keys(overridable)) {
    const object = find(place, roots);
    const keys = overridable[place]!;
    if (object !== null) allowed.set(object, keys === "*" ? null : new Set(keys.split(" ").map(keyOf)));
  }
  Object.assign(Object, describers);
  freezeAll([world, ...rooms.keys(), ...rest], rooms, allowed);
}

/** Intrinsics that have no global name, but can be reached by syntax. */
function hiddenRoots(): Readonly<Record<string, unknown>> {
  const proto = Object.getPrototypeOf;
  const generator = proto(function* () {}) as { prototype: object };
  const strict = (function () {
    // biome-ignore lint/complexity/noArguments: only its `callee` gives access to %ThrowTypeError%
    return Object.getOwnPropertyDescriptor(arguments, "callee")?.get;
  })();
  return {
    "%Function.prototype%": proto(() => {}),
    "%GeneratorFunction.prototype%": generator,
    "%Generator.prototype%": generator.prototype,
    "%Iterator.prototype%": proto(generator.prototype),
    "%ArrayIterator.prototype%": proto([].values()),
    "%MapIterator.prototype%": proto(new Map().values()),
    "%SetIterator.prototype%": proto(new Set().values()),
    "%StringIterator.prototype%": proto(""[Symbol.iterator]()),
    "%RegExpStringIterator.prototype%": proto("".matchAll(/x/g)),
    "%ThrowTypeError%": strict ?? null,
    "%InternalError.prototype%":
      (globalThis as { InternalError?: { prototype: object } }).InternalError?.prototype ?? null,
  };
}

function find(place: string, roots: Readonly<Record<string, unknown>>): object | null {
  if (place === "globalThis") return world;
  if (place.startsWith("%")) return (roots[place] as object | null) ?? null;
  let at: unknown = world;
  for (const key of place.split(".")) at = (at as Keyed | undefined)?.[keyOf(key)];
  return (at as object | undefined) ?? null;
}

function isBuiltIn(key: PropertyKey, object: object): boolean {
  return typeof object === "function" && (key === "length" || key === "name");
}

function prune(object: Keyed, kept: ReadonlySet<PropertyKey>): void {
  for (const key of ownKeys(object)) {
    if (kept.has(key) || isBuiltIn(key, object)) continue;
    if (!deleteProperty(object, key)) throw new TypeError(`cannot remove ${String(key)}`);
  }
}

/**
 * Freezes objects and everything reachable from them. Most are methods, from which nothing else is reachable; they are
 * handled first, for speed. `overridable` has the keys that stay assignable on inheriting objects, or null for all.
 */
function freezeAll(
  open: unknown[],
  rooms: ReadonlyMap<object, unknown>,
  overridable: ReadonlyMap<unknown, ReadonlySet<PropertyKey> | null>,
): void {
  const seen = new Set<unknown>();
  const { freeze, getPrototypeOf } = Object;
  const functionPrototype = getPrototypeOf(freeze);
  while (open.length > 0) {
    const value = open.pop() as object;
    if (seen.has(value)) continue;
    seen.add(value);
    let keys = ownKeys(value);
    if (typeof value === "function" && !rooms.has(value)) {
      if (!isPlain(keys)) {
        // Functions that the table does not name keep only `length`, `name` and `prototype`
        prune(value as unknown as Keyed, CONSTRUCTOR);
        keys = ownKeys(value);
      }
      freeze(value);
      if (isPlain(keys) && getPrototypeOf(value) === functionPrototype) continue;
    }
    const allowed = overridable.get(value);
    for (const key of keys) {
      const { value: held, get, set, writable, configurable } = getOwnPropertyDescriptor(value, key)!;
      if (isObject(held)) open.push(held);
      if (get !== undefined) open.push(get);
      if (set !== undefined) open.push(set);
      if (allowed === undefined || writable !== true || configurable !== true) continue;
      if (allowed === null || allowed.has(key)) allowOverride(value, key, held);
    }
    freeze(value);
    const prototype = getPrototypeOf(value);
    if (prototype !== null) open.push(prototype);
  }
}

const CONSTRUCTOR: ReadonlySet<PropertyKey> = new Set(["prototype"]);

/** Whether a function has only `length` and `name`, in the order in which the engine creates them. */
function isPlain(keys: readonly PropertyKey[]): boolean {
  return keys.length === 2 && keys[0] === "length" && keys[1] === "name";
}

function isObject(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}
