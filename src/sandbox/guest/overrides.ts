// Bound before the lockdown removes Reflect.
const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

type Setter = (this: object, value: unknown) => void;

/** Objects with overridable properties: each of their setters is one of `setters`. */
const overridable = new Set<unknown>();
/** Setters by key; a setter depends on nothing else. */
const setters = new Map<PropertyKey, Setter>();

/**
 * Turns a data property of an object that will be frozen into an accessor whose setter defines the property on the
 * object that was assigned to. Without it, JavaScript rejects an assignment to a name that is inherited from a frozen
 * object (`error.name = "Bad"`, `seen["constructor"] = true`); SES calls such accessors enablements. The accessor's
 * functions are not frozen, which would double its memory: no policy can reach them, since `describers` shows the
 * original data property.
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
    // A method has no `prototype`, and its `this` is the object that was assigned to
    set(this: object, value: unknown): void {
      const own = getOwnPropertyDescriptor(this, key);
      if (own === undefined) {
        if (defineProperty(this, key, { value, writable: true, enumerable: true, configurable: true })) return;
        throw new TypeError(`cannot define '${String(key)}': object is not extensible`);
      }
      // The frozen object itself; or, for `super.name = …`, an object that has such a property
      if (own.writable !== true) throw new TypeError(`'${String(key)}' is read-only`);
      (this as Record<PropertyKey, unknown>)[key] = value;
    },
  }.set;
}

/** The descriptor of a property; an overridable one is shown as a frozen data property. */
export function described(object: object, key: PropertyKey): PropertyDescriptor | undefined {
  const own = getOwnPropertyDescriptor(object, key);
  if (own?.set === undefined || !overridable.has(object)) return own;
  return { value: own.get!(), writable: false, enumerable: false, configurable: false };
}

const { getOwnPropertyDescriptor: describe } = Object;

/** Replacements for Object's methods of the same names. */
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
