import { here, notDecided, raise } from "./path.js";
import { truthy } from "./values.js";

type Each = (value: unknown, index: number) => unknown;

/** Methods of arrays that call a function for each element (ECMA-262, 23.1.3). */
export const ITERATIONS: Readonly<Record<string, (array: readonly unknown[], each: Each) => unknown>> = {
  some: (array, each) => found(array, each) !== null,
  every: (array, each) => found(array, (value, index) => !truthy(here(), each(value, index))) === null,
  find: (array, each) => found(array, each)?.value,
  findIndex: (array, each) => found(array, each)?.index ?? -1,
  filter(array, each) {
    const kept: unknown[] = [];
    for (const [index, value] of elementsOf(array)) if (truthy(here(), each(value, index))) kept.push(value);
    return kept;
  },
  map(array, each) {
    const made: unknown[] = [];
    for (const [index, value] of elementsOf(array)) made.push(each(value, index));
    return made;
  },
  flatMap: () => notDecided("`flatMap`"),
  forEach(array, each) {
    for (const [index, value] of elementsOf(array)) each(value, index);
  },
};

/**
 * The elements of an array with their indices. An array of a policy has no holes, which methods would leave out; a
 * function that makes it longer or shorter meanwhile is not decided.
 */
function* elementsOf(array: readonly unknown[]): Generator<readonly [index: number, value: unknown], void> {
  const { length } = array;
  for (let index = 0; index < length; index++) {
    yield [index, array[index]];
    checkLength(array, length);
  }
}

function checkLength(array: readonly unknown[], length: number): void {
  if (array.length !== length) notDecided("an array that changes during a loop over it");
}

function found(array: readonly unknown[], each: Each): { readonly index: number; readonly value: unknown } | null {
  const { length } = array;
  for (let index = 0; index < length; index++) {
    const value = array[index];
    const is = truthy(here(), each(value, index));
    checkLength(array, length);
    if (is) return { index, value };
  }
  return null;
}

/** `reduce`; `begun` has the initial value, or nothing. */
export function reduced(
  array: readonly unknown[],
  begun: readonly unknown[],
  each: (before: unknown, value: unknown, index: number) => unknown,
): unknown {
  const { length } = array;
  if (begun.length === 0 && length === 0) return raise("TypeError", "reduce of an empty array");
  let value = begun.length === 0 ? array[0] : begun[0];
  for (let index = begun.length === 0 ? 1 : 0; index < length; index++) {
    value = each(value, array[index], index);
    checkLength(array, length);
  }
  return value;
}
