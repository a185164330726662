import type { JsonDomain, JsonType } from "../shared/atom.js";
import {
  elementsOfArray,
  entryOfObject,
  type JsonSchemas,
  jsonDomain,
  jsonTypeOf,
  listsOf,
} from "../shared/json-domain.js";

type Holder = Readonly<Record<string, unknown>>;

/**
 * A JSON value with what schemas require in place of what they do not allow; undefined for the simplest value. It need
 * not satisfy the schemas: whoever uses it has to find that out.
 */
export function completed(value: unknown, schemas: JsonSchemas): unknown {
  if (schemas.length === 0) return value === undefined ? 0 : value;
  const domain = jsonDomain(schemas);
  const isOfType = value !== undefined && domain.types.includes(jsonTypeOf(value));
  const its = isOfType ? value : SIMPLEST[domain.types[0] ?? "null"];
  if (typeof its === "number") return completedNumber(its, domain);
  if (typeof its === "string") return domain.texts?.includes(its) === false ? domain.texts[0] : its;
  if (typeof its !== "object" || its === null) return its;
  const made = Array.isArray(its)
    ? its.map((one) => completed(one, elementsOfArray(schemas)))
    : completedObject(its as Holder, schemas);
  // Parts of a listed value depend on each other
  const listed = schemas.flatMap(listsOf).find((values) => values.some((one) => typeof one === "object"));
  return listed?.find((one) => has(one, made)) ?? listed?.find((one) => has(one, its)) ?? made;
}

const SIMPLEST: Readonly<Record<JsonType, unknown>> = {
  ...{ null: null, true: true, false: false, number: 0, string: "", array: [], object: {} },
};

function completedNumber(value: number, { least, most, numbers, isInteger }: JsonDomain): number {
  if (numbers !== null) return numbers.includes(value) ? value : numbers[0]!;
  if (isInteger && !Number.isInteger(value)) return completedNumber(Math.floor(value), { ...NO_BOUNDS, least, most });
  return Math.max(least ?? -Infinity, Math.min(most ?? Infinity, value));
}

const NO_BOUNDS: JsonDomain = { types: [], texts: null, numbers: null, least: null, most: null, isInteger: false };

function completedObject(its: Holder, schemas: JsonSchemas): Holder {
  const required = schemas.flatMap((schema) => [
    ...(schema.required ?? []),
    ...listsOf(schema).flatMap((values) =>
      jsonTypeOf(values[0]) === "object" ? Object.keys(values[0] as object) : [],
    ),
  ]);
  const names = new Set([
    ...Object.keys(its),
    ...required.filter((name) => entryOfObject(schemas, name).presence === "always"),
  ]);
  const entries = [...names].map((name) => {
    const own = Object.hasOwn(its, name) ? its[name] : undefined;
    return [name, completed(own, entryOfObject(schemas, name).schemas)] as const;
  });
  return Object.fromEntries(entries);
}

/** Whether a value is another one, or has all of its parts. */
function has(value: unknown, part: unknown): boolean {
  if (typeof value !== "object" || value === null || typeof part !== "object" || part === null) return value === part;
  if (Array.isArray(value) !== Array.isArray(part)) return false;
  if (Array.isArray(value) && value.length !== (part as readonly unknown[]).length) return false;
  return Object.entries(part).every(([name, one]) => Object.hasOwn(value, name) && has((value as Holder)[name], one));
}
