import { CURRENT, FIELD, FIELDS, PRESENT } from "../shared/buffer-layout.js";
import { makeFacts, makeRecord, OBJECT_FACTS } from "./facts.js";
import { callHost, doubles, integers } from "./host.js";

/**
 * `current` is one frozen object for the runtime's lifetime. Its getters read the current task: numbers from the shared
 * buffer, other fields from the host at first read, so that a decision pays only for the fields that it reads. A field
 * `container.labels` is a getter of an object `container`, which is null if the host says that there is none. `records`
 * are the fields that are objects with arbitrary keys.
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
      define(current, first, () => ((integers[PRESENT]! & bit) === 0 ? null : made));
    }
    define(object, second, reader(path, index, records.includes(path) ? makeRecord : makeFacts));
  }
  for (const object of inner.values()) Object.freeze(object);
  return Object.freeze(current);
}

const read: unknown[] = [];

/** Drops the values that were read in the last decision. */
export function forgetCurrent(): void {
  read.fill(undefined);
}

/** A getter that reads a field at most once per decision; a bit in the shared buffer marks fields that were read. */
function reader(path: string, index: number, make: (value: unknown) => unknown): () => unknown {
  const bit = 1 << index;
  // Fill the array from index 0, so that the engine keeps it in its fast form
  read[index] = undefined;
  const who = `current.${path}`;
  return () => {
    const fields = integers[FIELDS]!;
    if ((fields & bit) !== 0) return read[index];
    const value = make(JSON.parse(callHost(FIELD, who, undefined, index)!));
    read[index] = value;
    integers[FIELDS] = fields | bit;
    return value;
  };
}
