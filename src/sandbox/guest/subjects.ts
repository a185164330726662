import { SUBJECT } from "../slots.js";
import { standFor } from "./bytes.js";
import { makeFacts, OBJECT_FACTS } from "./facts.js";
import { box } from "./host.js";

/** Subjects that were built once and are passed by their slot. */
export const subjects: unknown[] = [];

type Builder = (values: readonly unknown[]) => unknown;
/** By the number of a shape: what makes a frozen subject of the values behind that number. */
const builders: Builder[] = [];
/** Frozen values that subjects have in common. */
const shared: unknown[] = [];

/** The host's own function, one for each shape of subjects: see parcel.ts. */
export function putShape(
  script: (...given: [Builder[], typeof Object.freeze, typeof standFor, unknown[], typeof own, object]) => void,
): void {
  script(builders, Object.freeze, standFor, shared, own, OBJECT_FACTS);
}

export function putShared(text: string): void {
  const [number, value] = JSON.parse(text) as [number, unknown];
  shared[number] = makeFacts(value);
}

/** Builds a subject in the slot that the box names. Text, not a value, crosses: it carries NUL, lone surrogates and `__proto__` whole. */
export function putSubject(text: string): void {
  const values = JSON.parse(text) as [shape: number];
  subjects[box[SUBJECT]!] = builders[values[0]]!(values);
}

export function dropSubject(): void {
  subjects[box[SUBJECT]!] = undefined;
}

/** What is one subject's alone: JSON, and where in it bytes belong: a path, the host's number, and the length. */
function own([value, bytes]: [unknown, readonly (readonly [readonly string[], number, number])[]]): unknown {
  for (const [path, number, length] of bytes) {
    let at = value as Record<string, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[path.at(-1)!] = standFor(number, length);
  }
  return makeFacts(value);
}
