import type { ValueSchema } from "../../policy/maps/value-schema.js";
import { JSON_TYPES, type JsonDomain, type JsonType } from "./atom.js";

/** What is known of a JSON value: it satisfies all of these schemas. Without any, it can be every value. */
export type JsonSchemas = readonly ValueSchema[];

/** The domain of a value of some schemas. */
export function jsonDomain(schemas: JsonSchemas): JsonDomain {
  let [types, isInteger, least, most] = [JSON_TYPES as readonly JsonType[], false, -Infinity, Infinity];
  let listed: readonly unknown[] | null = null;
  for (const schema of schemas) {
    if (schema.type !== undefined) {
      const names = [schema.type].flat();
      const allowed = names.flatMap((name): readonly string[] => TYPES[name] ?? [name]);
      types = types.filter((type) => allowed.includes(type));
      isInteger ||= names.includes("integer") && !names.includes("number");
    }
    least = Math.max(least, schema.minimum ?? -Infinity);
    most = Math.min(most, schema.maximum ?? Infinity);
    for (const values of listsOf(schema)) listed = common(listed, values);
  }
  if (isInteger) [least, most] = [Math.ceil(least), Math.floor(most)];
  const isPossible = (value: number) => value >= least && value <= most && (!isInteger || Number.isInteger(value));
  const numbers = listed === null ? null : listed.filter((one) => typeof one === "number").filter(isPossible);
  const texts = listed === null ? null : listed.filter((one) => typeof one === "string");
  const isEmpty = numbers === null ? least > most : numbers.length === 0;
  // JSON has no -0 that differs from 0
  const sorted = numbers && [...new Set(numbers.map((one) => one + 0))].sort((a, b) => a - b);
  return {
    types: types.filter((type) => {
      if (type === "number" && isEmpty) return false;
      return listed === null || listed.some((one) => jsonTypeOf(one) === type);
    }),
    texts,
    numbers: sorted,
    least: finite(sorted?.[0] ?? least),
    most: finite(sorted?.at(-1) ?? most),
    isInteger: isInteger || sorted?.every(Number.isInteger) === true,
  };
}

function finite(bound: number): number | null {
  return Number.isFinite(bound) ? bound : null;
}

/** Names of types that stand for others here. */
const TYPES: Readonly<Record<string, readonly JsonType[]>> = { boolean: ["true", "false"], integer: ["number"] };

/** What an object has under a key. */
export interface JsonEntry {
  /** `never` also if no value can be there. */
  readonly presence: "always" | "never" | "maybe";
  readonly schemas: JsonSchemas;
}

/** What an object of some schemas has under a key. */
export function entryOfObject(of: JsonSchemas, key: string): JsonEntry {
  const schemas: ValueSchema[] = [];
  let [isRequired, isExcluded] = [false, false];
  for (const schema of of) {
    const { properties = {}, additionalProperties, required = [] } = schema;
    if (Object.hasOwn(properties, key)) schemas.push(properties[key]!);
    else if (additionalProperties === false) isExcluded = true;
    else if (additionalProperties !== undefined) schemas.push(additionalProperties);
    isRequired ||= required.includes(key);
    for (const values of listsOf(schema)) {
      const objects = values.filter((value) => jsonTypeOf(value) === "object") as Record<string, unknown>[];
      const holders = objects.filter((value) => Object.hasOwn(value, key));
      schemas.push({ enum: holders.map((value) => value[key]) });
      isRequired ||= holders.length === objects.length;
      isExcluded ||= holders.length === 0;
    }
  }
  if (isExcluded || jsonDomain(schemas).types.length === 0) return { presence: "never", schemas };
  return { presence: isRequired ? "always" : "maybe", schemas };
}

/** What each element of an array of some schemas is. */
export function elementsOfArray(of: JsonSchemas): JsonSchemas {
  return of.flatMap((schema) => [
    ...(schema.items === undefined ? [] : [schema.items]),
    ...listsOf(schema).map((values) => ({ enum: values.flatMap((value) => (Array.isArray(value) ? value : [])) })),
  ]);
}

/** The lists of values in a schema. */
export function listsOf(schema: ValueSchema): readonly (readonly unknown[])[] {
  const constants = Object.hasOwn(schema, "const") ? [[schema.const]] : [];
  return schema.enum === undefined ? constants : [schema.enum, ...constants];
}

/** Values that both lists have. Objects and arrays are not compared: both lists may have each of them. */
function common(one: readonly unknown[] | null, other: readonly unknown[]): readonly unknown[] {
  return one?.filter((value) => (typeof value === "object" && value !== null) || other.includes(value)) ?? other;
}

export function jsonTypeOf(value: unknown): JsonType {
  if (value === null || typeof value === "boolean") return String(value) as JsonType;
  return Array.isArray(value) ? "array" : (typeof value as JsonType);
}
