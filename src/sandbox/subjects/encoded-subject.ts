/** A subject in the form in which it is sent to the guests of a domain; see guest/subjects.ts. */
export interface EncodedSubject {
  /** JSON of an array: the number of the shape, then the arguments of the shape's builder. */
  readonly text: string;
  /** Indexed by the numbers in `text`. */
  readonly bytes: readonly Uint8Array[];
  /** Characters of JSON that the subject consists of, including shared values. */
  readonly size: number;
  /** As `size`, without the numbers of shapes, bytes and shared values, which depend on earlier subjects. */
  readonly characters: number;
  readonly shape: Definition;
  readonly shared: readonly Definition[];
}

/** A shape or a shared value, which a guest must receive before a subject that uses it. */
export interface Definition {
  readonly number: number;
  /** Numbers are reused: a number with another generation has another meaning. */
  readonly generation: number;
  /**
   * For a shape: a script that stores the shape's builder in the guest. For a shared value: JSON of its number and the
   * value.
   */
  readonly text: string;
}

/**
 * How a field is sent: not at all; as it is; as the number and length of bytes; as the number of a shared value; in
 * full.
 */
const ABSENT = 0;
const PLAIN = 1;
const BYTES = 2;
const SHARED = 3;
const OWN = 4;
type Kind = typeof ABSENT | typeof PLAIN | typeof BYTES | typeof SHARED | typeof OWN;

interface Shape extends Definition {
  readonly keys: readonly string[];
  readonly kinds: readonly Kind[];
}

interface Shared extends Definition {
  readonly characters: number;
}

/** The most shapes and shared values, after which all are defined anew; and the longest JSON text of a shared value. */
const SHAPES_KEPT = 32;
const SHARED_KEPT = 64;
const LONGEST_SHARED = 1024;

/**
 * Encodes subjects for the guests of a domain, so that a guest creates as few new objects as possible: the field names
 * are sent once for all subjects with the same fields, and so are values that many subjects have, such as a set of
 * effects or an empty list.
 */
export class SubjectEncoder {
  readonly #withheld: ReadonlySet<string>;
  #shapes: Shape[] = [];
  #shapesForgotten = 0;
  /** By JSON text; frozen values also by identity. */
  #shared = new Map<string, Shared>();
  #sharedForgotten = 0;
  #known = new WeakMap<object, Shared>();

  /** Fields in `withheld` are not sent. */
  constructor(withheld: readonly string[]) {
    this.#withheld = new Set(withheld);
  }

  /**
   * Throws UnserializableError for a value that JSON cannot represent: a function, a symbol, a bigint, NaN, a value
   * with `toJSON`.
   */
  encode(subject: object): EncodedSubject {
    // Only between subjects: numbers must keep their meaning until the subject has been sent
    if (this.#shared.size >= SHARED_KEPT) this.#forget();
    const keys = Object.keys(subject);
    const kinds: Kind[] = [];
    const values: unknown[] = [0];
    const bytes: Uint8Array[] = [];
    const shared: Definition[] = [];
    let size = 0;
    let numbers = 0;
    for (const key of keys) {
      const value = (subject as Record<string, unknown>)[key];
      if (value === undefined || this.#withheld.has(key)) kinds.push(ABSENT);
      else if (value instanceof Uint8Array) {
        kinds.push(BYTES);
        numbers += digits(bytes.length);
        values.push(bytes.length, value.length);
        bytes.push(value);
      } else if (typeof value !== "object" || value === null) {
        kinds.push(PLAIN);
        values.push(strip(value, [key], noBytes));
      } else {
        const common = this.#share(value, key);
        if (common !== null) {
          kinds.push(SHARED);
          values.push(common.number);
          shared.push(common);
          numbers += digits(common.number);
          size += common.characters;
        } else {
          kinds.push(OWN);
          const before = bytes.length;
          values.push(own(value, key, bytes));
          for (let number = before; number < bytes.length; number++) numbers += digits(number);
        }
      }
    }
    const shape = this.#shapeOf(keys, kinds);
    values[0] = shape.number;
    const text = JSON.stringify(values);
    const characters = size + text.length - numbers - digits(shape.number);
    return { text, bytes, size: size + text.length, characters, shape, shared };
  }

  /** The definition of a value that can be shared; null if it contains bytes or is too long. */
  #share(value: object, key: string): Shared | null {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    let shares = true;
    const stripped = strip(value, [key], () => {
      shares = false;
    });
    if (!shares) return null;
    const text = JSON.stringify(stripped);
    if (text.length > LONGEST_SHARED) return null;
    let shared = this.#shared.get(text);
    if (shared === undefined) {
      const number = this.#shared.size;
      shared = { number, generation: this.#sharedForgotten, text: `[${number},${text}]`, characters: text.length };
      this.#shared.set(text, shared);
    }
    if (Object.isFrozen(value)) this.#known.set(value, shared);
    return shared;
  }

  #shapeOf(keys: readonly string[], kinds: readonly Kind[]): Shape {
    const known = this.#shapes.find((shape) => same(shape.keys, keys) && same(shape.kinds, kinds));
    if (known !== undefined) return known;
    if (this.#shapes.length >= SHAPES_KEPT) {
      this.#shapes = [];
      this.#shapesForgotten += 1;
    }
    const number = this.#shapes.length;
    const shape = { number, generation: this.#shapesForgotten, text: builder(number, keys, kinds), keys, kinds };
    this.#shapes.push(shape);
    return shape;
  }

  #forget(): void {
    this.#shared = new Map();
    this.#sharedForgotten += 1;
    this.#known = new WeakMap();
  }
}

function digits(number: number): number {
  return String(number).length;
}

/**
 * The source text that makes a field of each kind in a builder's script. `next` returns the text that reads the next
 * encoded value; null for a field that the object does not have.
 */
const FIELD_SOURCE: Readonly<Record<Kind, ((next: () => string) => string) | null>> = {
  [ABSENT]: null,
  [PLAIN]: (next) => next(),
  [BYTES]: (next) => `bytes(${next()},${next()})`,
  [SHARED]: (next) => `shared[${next()}]`,
  [OWN]: (next) => `own(${next()})`,
};

/**
 * The script of a shape. Its parameters are the array of builders, Object.freeze, the function for bytes, the shared
 * values, the function for values sent in full, and the prototype.
 */
function builder(number: number, keys: readonly string[], kinds: readonly Kind[]): string {
  const fields = ["__proto__:facts"];
  // The first value is the shape's own number
  let at = 1;
  const next = () => `v[${at++}]`;
  for (const [index, key] of keys.entries()) {
    const made = FIELD_SOURCE[kinds[index]!];
    // An own key `__proto__` stays an own key
    const name = key === "__proto__" ? '["__proto__"]' : JSON.stringify(key);
    if (made !== null) fields.push(`${name}:${made(next)}`);
  }
  return `((builders,freeze,bytes,shared,own,facts)=>{builders[${number}]=(v)=>freeze({${fields.join()}})})`;
}

/** Encodes a value that is not shared: the value without its bytes, and the places of the bytes in it. */
function own(value: object, key: string, bytes: Uint8Array[]): unknown {
  const places: [string[], number, number][] = [];
  const stripped = strip(value, [key], (path, found) => {
    places.push([path.slice(1), bytes.length, found.length]);
    bytes.push(found);
  });
  return [stripped, places];
}

function same<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

/** JSON text of a value of the host. Throws as `encode` does. */
export function textOf(value: unknown): string {
  return JSON.stringify(strip(value ?? null, [], noBytes));
}

function noBytes(path: readonly string[]): never {
  return unserializable(path, "bytes");
}

/**
 * A copy with plain values only and null instead of bytes. `path` is the value's path; it is modified during recursion.
 */
function strip(value: unknown, path: string[], take: (path: readonly string[], bytes: Uint8Array) => void): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : unserializable(path, String(value));
    case "object":
      break;
    default:
      return unserializable(path, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) {
    take(path.slice(), value);
    return null;
  }
  if (Array.isArray(value)) return value.map((one, index) => within(one, String(index), path, take));
  if (typeof (value as { toJSON?: unknown }).toJSON === "function")
    return unserializable(path, "a value with `toJSON`");
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const one = (value as Record<string, unknown>)[key];
    if (one === undefined) continue;
    const stripped = within(one, key, path, take);
    // An own key `__proto__` stays an own key
    if (key === "__proto__") Object.defineProperty(plain, key, { value: stripped, enumerable: true });
    else plain[key] = stripped;
  }
  return plain;
}

function within(value: unknown, key: string, path: string[], take: Parameters<typeof strip>[2]): unknown {
  path.push(key);
  const stripped = strip(value, path, take);
  path.pop();
  return stripped;
}

/** Thrown for a value of the host that JSON cannot represent. */
export class UnserializableError extends TypeError {
  override readonly name = "TypeError";
}

function unserializable(path: readonly string[], what: string): never {
  throw new UnserializableError(`${path.join(".") || "the value"} is ${what}, which cannot cross into a policy`);
}
