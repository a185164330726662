// Bound before the lockdown removes Reflect.
const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

type Setter = (this: object, value: unknown) => void;

/** Objects with properties that can be overridden: what they have a setter for is one of those. */
const overridable = new Set<unknown>();
/** Setters by key: what a setter does depends on nothing else. */
const setters = new Map<PropertyKey, Setter>();

/**
 * Turns a data property of an object that is about to be frozen into an accessor whose setter defines the property on the object
 * that was assigned to. JavaScript rejects an assignment to a name that is inherited from a frozen object
 * (`error.name = "Bad"`, `seen["constructor"] = true`); SES calls such accessors enablements. No policy can reach the
 * accessor's functions, since `describers` shows it as the data property that it stands for: so they need not be frozen,
 * which doubles what one takes of memory.
 */
export function allowOverride(object: object, key: PropertyKey, value: unknown): void {
  overridable.add(object);
  let set = setters.get(key);
  if (set === undefined) {
    set = setterOf(key);
    setters.set(key, set);
  }
  defineProperty(object, key, { get: () => value, set });
}

function setterOf(key: PropertyKey): Setter {
  return {
    // a method has no `prototype`, and its `this` is what was assigned to
    set(this: object, value: unknown): void {
      const own = getOwnPropertyDescriptor(this, key);
      if (own === undefined) {
        if (defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true })) return;
        throw new TypeError(`cannot define '${String(key)}': object is not extensible`);
      }
      // the frozen object itself; or, for `super.name = …`, one that has such a property already
      if (own.writable !== true) throw new TypeError(`'${String(key)}' is read-only`);
      (this as Record<PropertyKey, unknown>)[key] = value;
    },
  }.set;
}

/** An object's property as a frozen data property where it can be overridden, and as it is where not. */
export function described(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  const own = getOwnPropertyDescriptor(object, key);
  if (own?.set === undefined || !overridable.has(object)) return own;
  return { value: own.get!(), writable: false, enumerable: false, configurable: false };
}

const { getOwnPropertyDescriptor: describe } = Object;

/** What policies have in the place of Object's methods of these names. */
export const describers = {
  getOwnPropertyDescriptor(object: object, key: PropertyKey): PropertyDescriptor | undefined {
    return overridable.has(object) ? described(object, key) : describe(object, key);
  },
  getOwnPropertyDescriptors(object: object): Record<PropertyKey, PropertyDescriptor> {
    if (object === undefined || object === null) throw new TypeError("cannot convert to object");
    const all: Record<PropertyKey, PropertyDescriptor> = {};
    const from = Object(object) as object;
    for (const key of ownKeys(from))
      defineProperty(all, key, { value: described(from, key), writable: true, enumerable: true, configurable: true });
    return all;
  },
};
