/** A subject as it crosses: JSON text, with bytes taken out of it, and the bytes in the order of their numbers. */
export interface Parcel {
  readonly text: string;
  readonly bytes: readonly Uint8Array[];
}

/**
 * Packs a subject without its fields `withheld`; bytes get numbers from `first` on. See guest/subjects.ts for the other side.
 * Throws Unfit for what JSON cannot carry whole: a function, a symbol, a bigint, NaN, a value with `toJSON`.
 */
export function pack(subject: object, first: number, withheld: readonly string[] = []): Parcel {
  const bytes: Uint8Array[] = [];
  const places: [string[], number, number][] = [];
  const crossing =
    withheld.length === 0
      ? subject
      : Object.fromEntries(Object.entries(subject).filter(([key]) => !withheld.includes(key)));
  const value = strip(crossing, [], (path, found) => {
    places.push([path, first + bytes.length, found.length]);
    bytes.push(found);
  });
  return { text: JSON.stringify({ value, bytes: places }), bytes };
}

/** JSON text of a value of the host's. Throws as `pack` does. */
export function textOf(value: unknown): string {
  return JSON.stringify(strip(value ?? null, [], (path) => unfit(path, "bytes")));
}

function strip(value: unknown, path: string[], take: (path: string[], bytes: Uint8Array) => void): unknown {
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
    take(path, value);
    return null;
  }
  if (Array.isArray(value)) return value.map((one, index) => strip(one, [...path, String(index)], take));
  if (typeof (value as { toJSON?: unknown }).toJSON === "function") return unfit(path, "a value with `toJSON`");
  const plain: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(value)) {
    if (one === undefined) continue;
    const stripped = strip(one, [...path, key], take);
    // an own key `__proto__` stays an own key
    if (key === "__proto__") Object.defineProperty(plain, key, { value: stripped, enumerable: true });
    else plain[key] = stripped;
  }
  return plain;
}

/** A value of the host's that JSON cannot carry whole. */
export class Unfit extends TypeError {
  override readonly name = "TypeError";
}

function unfit(path: readonly string[], what: string): never {
  throw new Unfit(`${path.join(".") || "the value"} is ${what}, which cannot cross into a policy`);
}
