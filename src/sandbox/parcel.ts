/** A subject as it crosses into the guests of a domain; see guest/subjects.ts. */
export interface Parcel {
  /** JSON of an array: the number of the shape, and what the shape's builder takes. */
  readonly text: string;
  /** By the number that the text has for them. */
  readonly bytes: readonly Uint8Array[];
  /** Characters of JSON that the subject is built of, shared values included. */
  readonly size: number;
  /** The same without numbers of shapes, bytes and shared values, which depend on earlier subjects. */
  readonly characters: number;
  readonly shape: Definition;
  readonly shared: readonly Definition[];
}

/** A shape or a shared value, which a guest is told before it builds a subject that uses it. */
export interface Definition {
  readonly number: number;
  /** A number that is used again after this generation has another meaning then. */
  readonly generation: number;
  /**
   * Of a shape: a script whose value puts the shape's builder where the guest keeps builders. Of a shared value: JSON of
   * its number and the value.
   */
  readonly text: string;
}

/** How a field crosses: not at all; as it is; as the number and length of bytes; by the number of a shared value; in full. */
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

/** Shapes, and shared values, after which all are defined anew; characters of JSON up to which a value is shared. */
const SHAPES_KEPT = 32;
const SHARED_KEPT = 64;
const LONGEST_SHARED = 1024;

/**
 * Packs subjects for the guests of a domain, so that each makes as little anew as it can: the names of fields cross
 * once for all subjects that have the same, and so does a value that many have, such as a set of effects or an empty
 * list.
 */
export class Packer {
  readonly #withheld: ReadonlySet<string>;
  #shapes: Shape[] = [];
  #shapesForgotten = 0;
  /** By JSON text; and those that are frozen, by identity. */
  #shared = new Map<string, Shared>();
  #sharedForgotten = 0;
  #known = new WeakMap<object, Shared>();

  /** Fields `withheld` do not cross. */
  constructor(withheld: readonly string[]) {
    this.#withheld = new Set(withheld);
  }

  /** Throws Unfit for what JSON cannot carry whole: a function, a symbol, a bigint, NaN, a value with `toJSON`. */
  pack(subject: object): Parcel {
    // never within a subject: its numbers must keep their meaning until it has crossed
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

  /** The definition of a value that is shared; null if it has bytes in it, or is too long. */
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

/** How a builder makes a field of the next of its values. */
const MADE: Readonly<Record<Kind, ((next: () => string) => string) | null>> = {
  [ABSENT]: null,
  [PLAIN]: (next) => next(),
  [BYTES]: (next) => `bytes(${next()},${next()})`,
  [SHARED]: (next) => `shared[${next()}]`,
  [OWN]: (next) => `own(${next()})`,
};

/** The script of a shape: a function of where builders are kept, what freezes, what stands for bytes, what is shared, what is not, and the prototype. */
function builder(number: number, keys: readonly string[], kinds: readonly Kind[]): string {
  const fields = ["__proto__:facts"];
  // the first value is the shape's own number
  let at = 1;
  const next = () => `v[${at++}]`;
  for (const [index, key] of keys.entries()) {
    const made = MADE[kinds[index]!];
    // an own key `__proto__` stays an own key
    const name = key === "__proto__" ? '["__proto__"]' : JSON.stringify(key);
    if (made !== null) fields.push(`${name}:${made(next)}`);
  }
  return `((builders,freeze,bytes,shared,own,facts)=>{builders[${number}]=(v)=>freeze({${fields.join()}})})`;
}

/** A value that is one subject's alone: without its bytes, and where in it they belong. */
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

/** JSON text of a value of the host's. Throws as `pack` does. */
export function textOf(value: unknown): string {
  return JSON.stringify(strip(value ?? null, [], noBytes));
}

function noBytes(path: readonly string[]): never {
  return unfit(path, "bytes");
}

/** Plain values alone, with null in the place of bytes. `path` is where it stands, and is used for what is in it. */
function strip(value: unknown, path: string[], take: (path: readonly string[], bytes: Uint8Array) => void): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : unfit(path, String(value));
    case "object":
      break;
    default:
      return unfit(path, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) {
    take(path.slice(), value);
    return null;
  }
  if (Array.isArray(value)) return value.map((one, index) => within(one, String(index), path, take));
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return unfit(path, "a value with `toJSON`");
  const plain: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const one = (value as Record<string, unknown>)[key];
    if (one === undefined) continue;
    const stripped = within(one, key, path, take);
    // an own key `__proto__` stays an own key
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

/** A value of the host's that JSON cannot carry whole. */
export class Unfit extends TypeError {
  override readonly name = "TypeError";
}

function unfit(path: readonly string[], what: string): never {
  throw new Unfit(`${path.join(".") || "the value"} is ${what}, which cannot cross into a policy`);
}
