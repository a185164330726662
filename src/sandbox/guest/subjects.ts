import { type Bytes, standFor } from "./bytes.js";
import { deepFreeze } from "./freeze.js";

/** What the host sends for a subject: its JSON, and where in it bytes belong. */
interface Parcel {
  readonly value: unknown;
  /** Path to the place, the host's number, and the length. */
  readonly bytes: readonly (readonly [path: readonly string[], number: number, length: number])[];
}

/** Subjects that were built once and are passed by their slot. */
export const subjects: unknown[] = [];

/** Builds a subject in a slot. Text, not a value, crosses: it carries NUL, lone surrogates and `__proto__` whole. */
export function putSubject(slot: number, text: string): void {
  const { value, bytes } = JSON.parse(text) as Parcel;
  for (const [path, number, length] of bytes) {
    let at = value as Record<string, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[path.at(-1)!] = standFor(number, length) satisfies Bytes;
  }
  subjects[slot] = deepFreeze(value);
}

export function dropSubject(slot: number): void {
  subjects[slot] = undefined;
}
