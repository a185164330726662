import { ANY_NUMBER, isSafe, type Range } from "../arithmetic/range.js";
import type { JsonDomain } from "../shared/atom.js";
import { elementsOfArray, type JsonSchemas, jsonDomain } from "../shared/json-domain.js";
import { declare, restrict } from "./path.js";
import { only, type Term } from "./term.js";

/** What is known of JSON values, by their names. */
const schemas = new Map<string, JsonSchemas>();
const domains = new Map<string, JsonDomain>();

/** Declares a JSON value that satisfies schemas. If none does, it is never read: nothing more is known of it. */
export function declareJson(name: string, its: JsonSchemas): void {
  if (schemas.has(name)) return;
  const domain = jsonDomain(its);
  const isKnown = its.length > 0 && domain.types.length > 0;
  schemas.set(name, isKnown ? its : []);
  declare(name, isKnown ? { kind: "json", domain } : { kind: "json" });
  if (!isKnown) return;
  domains.set(name, domain);
  restrict(name, domain.types);
}

/** Declares a value that elements of an array in a map have. */
export function declareElement(name: string, list: string): void {
  declareJson(name, elementsOfArray(schemasOf(list)));
}

export function schemasOf(name: string): JsonSchemas {
  return schemas.get(name) ?? [];
}

/** The number that a JSON value is, on the path on which it is one: a term, or a constant if it can be no other. */
export function numberOf(name: string): Term | number {
  const { least = null, most = null, numbers = null, isInteger = false } = domains.get(name) ?? {};
  if (numbers?.length === 1) return numbers[0]!;
  const range: Range = {
    least: least === null ? ANY_NUMBER.least : BigInt(Math.floor(least)),
    most: most === null ? ANY_NUMBER.most : BigInt(Math.ceil(most)),
    isInteger,
  };
  if (!isSafe(range)) return { k: "double", name, expression: only(name), range };
  const summand = { coefficient: 1n, least: range.least, most: range.most };
  return { k: "integer", constant: 0n, of: new Map([[name, summand]]) };
}

/** The text that a JSON value is if it is a text, as far as it can be only one; undefined otherwise. */
export function onlyText(name: string): string | undefined {
  const texts = domains.get(name)?.texts;
  return texts?.length === 1 ? texts[0] : undefined;
}
