import { SUBJECT } from "../slots.js";
import { standFor } from "./bytes.js";
import { makeFacts, OBJECT_FACTS } from "./facts.js";
import { box } from "./host.js";

/** Subjects that are built, by slot. */
export const subjects: unknown[] = [];

type Builder = (values: readonly unknown[]) => unknown;
/** Builders by the number of a shape. A builder makes a frozen subject from the values after that number. */
const builders: Builder[] = [];
/** Frozen values that several subjects share. */
const shared: unknown[] = [];

/** Runs a script of the host that stores the builder of a shape: see encoded-subject.ts. */
export function putShape(
  script: (...given: [Builder[], typeof Object.freeze, typeof standFor, unknown[], typeof own, object]) => void,
): void {
  script(builders, Object.freeze, standFor, shared, own, OBJECT_FACTS);
}

export function putShared(text: string): void {
  const [number, value] = JSON.parse(text) as [number, unknown];
  shared[number] = makeFacts(value);
}

/**
 * Builds a subject in the slot that the box names. JSON text crosses, not a value, since NUL, lone surrogates and
 * `__proto__` survive in it.
 */
export function putSubject(text: string): void {
  const values = JSON.parse(text) as [shape: number];
  subjects[box[SUBJECT]!] = builders[values[0]]!(values);
}

export function dropSubject(): void {
  subjects[box[SUBJECT]!] = undefined;
}

/** A value of one subject only: JSON, and for each bytes value in it the path, the host's number, and the length. */
function own([value, bytes]: [unknown, readonly (readonly [readonly string[], number, number])[]]): unknown {
  for (const [path, number, length] of bytes) {
    let at = value as Record<string, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
    at[path.at(-1)!] = standFor(number, length);
  }
  return makeFacts(value);
}
