import { CURRENT, FIELD, FIELDS, PRESENT } from "../slots.js";
import { makeFacts, makeRecord, OBJECT_FACTS } from "./facts.js";
import { box, callHost, doubles } from "./host.js";

/**
 * `current` is one frozen object for the runtime's life, whose fields read who asks now: numbers from the box, all else
 * from the host when it is first read. So a decision pays for what it looks at. A field `container.labels` is read through
 * an object `container` of the same kind, which is null where the host says that there is none. Of the others, `records` are
 * objects whose keys are free.
 */
export function makeCurrent(numbers: readonly string[], others: readonly string[], records: readonly string[]): object {
  const current = { __proto__: OBJECT_FACTS };
  const inner = new Map<string, object>();
  const define = (object: object, key: string, get: () => unknown) =>
    Object.defineProperty(object, key, { get: Object.freeze(get), enumerable: true });

  numbers.forEach((key, index) => {
    const slot = CURRENT + index;
    define(current, key, () => doubles[slot]);
  });
  for (const [index, path] of others.entries()) {
    const [first, second] = path.split(".") as [string, string | undefined];
    if (second === undefined) {
      define(current, first, reader(path, index, records.includes(path) ? makeRecord : makeFacts));
      continue;
    }
    let object = inner.get(first);
    if (object === undefined) {
      const bit = 1 << inner.size;
      const made = { __proto__: OBJECT_FACTS };
      object = made;
      inner.set(first, made);
      define(current, first, () => ((box[PRESENT]! & bit) === 0 ? null : made));
    }
    define(object, second, reader(path, index, records.includes(path) ? makeRecord : makeFacts));
  }
  for (const object of inner.values()) Object.freeze(object);
  return Object.freeze(current);
}

const read: unknown[] = [];

/** Nothing is kept of who asked last. */
export function forgetCurrent(): void {
  read.fill(undefined);
}

/** Reads a field once a decision: the box says which have been. */
function reader(path: string, index: number, make: (value: unknown) => unknown): () => unknown {
  const bit = 1 << index;
  // an array that is filled from its beginning is a fast one
  read[index] = undefined;
  const who = `current.${path}`;
  return () => {
    const fields = box[FIELDS]!;
    if ((fields & bit) !== 0) return read[index];
    const value = make(JSON.parse(callHost(FIELD, who, undefined, index)!));
    read[index] = value;
    box[FIELDS] = fields | bit;
    return value;
  };
}
