import { CURRENT, FIELD } from "../slots.js";
import { deepFreeze } from "./freeze.js";
import { box, callHost } from "./host.js";

/**
 * `current` is one frozen object for the runtime's life, whose fields read who asks now: numbers from the box, all else
 * from the host when it is first read. So a decision pays for what it looks at.
 */
export function makeCurrent(
  numbers: readonly string[],
  others: readonly string[],
): { current: object; forget(): void } {
  const current = {};
  let read: unknown[] = [];
  let any = false;
  const define = (key: string, get: () => unknown) =>
    Object.defineProperty(current, key, { get: Object.freeze(get), enumerable: true });

  numbers.forEach((key, index) => {
    const slot = CURRENT + index;
    define(key, { get: () => box[slot] }.get);
  });
  others.forEach((key, index) => {
    const get = () => {
      if (any && index in read) return read[index];
      const value = deepFreeze(JSON.parse(callHost(FIELD, `current.${key}`, undefined, index)!));
      any = true;
      read[index] = value;
      return value;
    };
    define(key, get);
  });
  return {
    current: Object.freeze(current),
    forget: () => {
      if (any) {
        read = [];
        any = false;
      }
    },
  };
}
