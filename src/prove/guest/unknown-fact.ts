import { didYouMean } from "../../nearest.js";
import { beginning, fault } from "./path.js";
import { termOf } from "./term.js";

/** Arrays that the explorer passes as facts: the sandbox gives them the prototype of facts. */
const arrays = new WeakSet<object>();

export function factArray<T>(elements: T[]): readonly T[] {
  arrays.add(elements);
  return Object.freeze(elements);
}

/** Whether reading this property of facts is the fault UNKNOWN_FACT. */
export function isUnknownFact(value: unknown, key: string): boolean {
  const its = namesOf(value);
  if (its === null || key === "toJSON" || Object.hasOwn(its.own, key)) return false;
  return !its.inherited.includes(key) && !(its.isArray && INDEX.test(key));
}

/** Ends the path with the fault, which names the nearest property that there is. */
export function unknownFact(value: unknown, key: string): never {
  const { own, inherited } = namesOf(value)!;
  return fault("UNKNOWN_FACT", `the fact \`${key}\`${didYouMean(key, [...Object.keys(own), ...inherited])}`);
}

const INDEX = /^(?:0|[1-9]\d*)$/;
const { object, array } = beginning.inherited;

interface Names {
  readonly own: object;
  readonly inherited: readonly string[];
  readonly isArray: boolean;
}

/** The names of the properties of facts. Null for other values: a property that they do not have is undefined. */
function namesOf(value: unknown): Names | null {
  const term = termOf(value);
  switch (term?.k) {
    case "object":
    case "lazy":
      return { own: term.fields, inherited: object, isArray: false };
    case "bytes":
      return { own: LENGTH, inherited: object, isArray: false };
    case "list":
      return LIST;
    default:
      return typeof value === "object" && value !== null && arrays.has(value) ? LIST : null;
  }
}

const LENGTH = { length: null };
const LIST: Names = { own: LENGTH, inherited: array, isArray: true };
