import { keyOf } from "./key.js";
import { allowOverride, describers } from "./overrides.js";

// kept from before: the lockdown takes their names away while it runs
const { deleteProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const world: object = globalThis;

type Keyed = Record<PropertyKey, unknown>;

/**
 * Deletes whatever the table does not permit, then freezes what is left, with all that can be reached from it; what
 * `overridable` names can still be assigned to on objects that inherit it. `rest` are objects of the guest's own that a policy
 * can reach, frozen in the same way. Throws when the engine has a thing that neither is permitted nor can be deleted.
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

/** Intrinsics that no name leads to, but syntax does. */
function hiddenRoots(): Readonly<Record<string, unknown>> {
  const proto = Object.getPrototypeOf;
  const generator = proto(function* () {}) as { prototype: object };
  const strict = (function () {
    // biome-ignore lint/complexity/noArguments: its `callee` is what leads to %ThrowTypeError%
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
 * Freezes objects with all that they lead to. Nearly all of that is methods, which lead to nothing: those are told apart first.
 * `overridable` has the keys that stay assignable on objects that inherit them, null for all.
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
        // a function that the table does not name keeps nothing but its length and name, and what it constructs by
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

/** As the engine gives them to a method, in this order. */
function isPlain(keys: readonly PropertyKey[]): boolean {
  return keys.length === 2 && keys[0] === "length" && keys[1] === "name";
}

function isObject(value: unknown): boolean {
  return typeof value === "function" || (typeof value === "object" && value !== null);
}
