import { SUBJECT } from "../shared/buffer-layout.js";
import { standFor } from "./bytes.js";
import { makeFacts, OBJECT_FACTS } from "./facts.js";
import { integers } from "./host.js";
import { recorded } from "./reads.js";
import { settings } from "./settings.js";

/** Subjects that are built, by slot: as policies get them. */
export const subjects: unknown[] = [];
/** The same without the recording of reads. */
export const plainSubjects: unknown[] = settings.recordsReads === true ? [] : subjects;

const { parse } = JSON;

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
 * Builds a subject in the slot that the shared buffer names. JSON text crosses, not a value, since NUL, lone surrogates
 * and `__proto__` survive in it.
 */
export function putSubject(text: string): void {
  const values = parse(text) as [shape: number];
  const slot = integers[SUBJECT]!;
  plainSubjects[slot] = builders[values[0]]!(values);
  if (settings.recordsReads === true) subjects[slot] = recorded(plainSubjects[slot], "subject");
}

export function dropSubject(): void {
  subjects[integers[SUBJECT]!] = plainSubjects[integers[SUBJECT]!] = undefined;
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
