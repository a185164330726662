/** What crosses for a subject: JSON text, and the bytes that it names, in the order of their numbers. */
export interface Parcel {
  /** An array: its shape, and what the shape's builder takes; see guest/subjects.ts. */
  readonly text: string;
  readonly bytes: readonly Uint8Array[];
  /** Characters of all that it is built of, what it shares with others among it. */
  readonly size: number;
  /** The same for any guest: without the numbers that this one has for shapes, bytes and shared values. */
  readonly characters: number;
}

/** What a guest is told before it can build a subject. What is told under a number that was told before takes its place. */
export interface Instructed {
  /** A script whose value puts a shape's builder where guest/subjects.ts keeps them. */
  shape(script: string): void;
  /** JSON of an array: a number, and the value that subjects share by it. */
  share(text: string): void;
}

/** How a field crosses: not at all; as it is; as the number and length of bytes; by the number of a shared value; in full. */
const ABSENT = 0;
const PLAIN = 1;
const BYTES = 2;
const SHARED = 3;
const OWN = 4;
type Kind = typeof ABSENT | typeof PLAIN | typeof BYTES | typeof SHARED | typeof OWN;

interface Shape {
  readonly keys: readonly string[];
  readonly kinds: readonly Kind[];
}

/** Shapes, and shared values, after which all are told anew; characters of JSON up to which a value is shared. */
const SHAPES_KEPT = 32;
const SHARED_KEPT = 64;
const LONGEST_SHARED = 1024;

/**
 * Packs subjects for one guest, so that it makes as little anew as it can: the names of fields cross once for all subjects
 * that have the same, and so does a value that many have, such as a set of effects or a list without anything in it.
 */
export class Packer {
  readonly #withheld: ReadonlySet<string>;
  readonly #guest: Instructed;
  #shapes: Shape[] = [];
  /** By JSON text; and those that are frozen, by identity. */
  #shared = new Map<string, number>();
  #known = new WeakMap<object, number>();
  /** Lengths of their texts, by number. */
  #sizes: number[] = [];

  /** Fields `withheld` do not cross. */
  constructor(withheld: readonly string[], guest: Instructed) {
    this.#withheld = new Set(withheld);
    this.#guest = guest;
  }

  /**
   * Packs a subject; its bytes get numbers from `first` on. Throws Unfit for what JSON cannot carry whole: a function, a
   * symbol, a bigint, NaN, a value with `toJSON`.
   */
  pack(subject: object, first: number): Parcel {
    // only here: what is named in the middle of a parcel must stand until it has crossed
    if (this.#sizes.length >= SHARED_KEPT) this.#forget();
    const keys = Object.keys(subject);
    const kinds: Kind[] = [];
    const values: unknown[] = [0];
    const bytes: Uint8Array[] = [];
    let size = 0;
    let numbers = 0;
    for (const key of keys) {
      const value = (subject as Record<string, unknown>)[key];
      if (value === undefined || this.#withheld.has(key)) kinds.push(ABSENT);
      else if (value instanceof Uint8Array) {
        kinds.push(BYTES);
        numbers += digits(first + bytes.length);
        values.push(first + bytes.length, value.length);
        bytes.push(value);
      } else if (typeof value !== "object" || value === null) {
        kinds.push(PLAIN);
        values.push(strip(value, [key], noBytes));
      } else {
        const number = this.#numberOf(value, key);
        if (number !== -1) {
          kinds.push(SHARED);
          values.push(number);
          numbers += digits(number);
          size += this.#sizes[number]!;
        } else {
          kinds.push(OWN);
          const before = bytes.length;
          values.push(own(value, key, first, bytes));
          for (let number = before; number < bytes.length; number++) numbers += digits(first + number);
        }
      }
    }
    const shape = this.#shapeOf(keys, kinds);
    values[0] = shape;
    const text = JSON.stringify(values);
    return { text, bytes, size: size + text.length, characters: size + text.length - numbers - digits(shape) };
  }

  /** The number that a value is shared by; -1 where it is not, for bytes in it or its size. */
  #numberOf(value: object, key: string): number {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    let shares = true;
    const stripped = strip(value, [key], () => {
      shares = false;
    });
    if (!shares) return -1;
    const text = JSON.stringify(stripped);
    if (text.length > LONGEST_SHARED) return -1;
    let number = this.#shared.get(text);
    if (number === undefined) {
      number = this.#sizes.length;
      this.#guest.share(`[${number},${text}]`);
      this.#sizes.push(text.length);
      this.#shared.set(text, number);
    }
    if (Object.isFrozen(value)) this.#known.set(value, number);
    return number;
  }

  #shapeOf(keys: readonly string[], kinds: readonly Kind[]): number {
    const known = this.#shapes.findIndex((shape) => same(shape.keys, keys) && same(shape.kinds, kinds));
    if (known !== -1) return known;
    if (this.#shapes.length >= SHAPES_KEPT) this.#shapes = [];
    this.#guest.shape(builder(this.#shapes.length, keys, kinds));
    return this.#shapes.push({ keys, kinds }) - 1;
  }

  #forget(): void {
    this.#shared = new Map();
    this.#known = new WeakMap();
    this.#sizes = [];
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
function own(value: object, key: string, first: number, bytes: Uint8Array[]): unknown {
  const places: [string[], number, number][] = [];
  const stripped = strip(value, [key], (path, found) => {
    places.push([path.slice(1), first + bytes.length, found.length]);
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
