import type { TypeName, ValueSchema } from "./value-schema.js";

/** Maximum depth of a proposed schema: that of the configuration. */
const MOST_DEPTH = 8;

/**
 * A schema that all of some values satisfy: their types, the properties of objects, which are required if all objects
 * have them, and the elements of arrays. Null without values, of which nothing is known.
 */
export function proposedSchema(values: readonly unknown[], depth = 1): ValueSchema | null {
  if (values.length === 0 || depth > MOST_DEPTH) return null;
  const types = [...new Set(values.map(typeOf))].sort();
  const found = types.includes("number") ? types.filter((type) => type !== "integer") : types;
  const objects = values.filter((value) => typeOf(value) === "object") as Readonly<Record<string, unknown>>[];
  const elements = values.flatMap((value) => (Array.isArray(value) ? value : []));
  const items = proposedSchema(elements, depth + 1);
  return {
    type: found.length === 1 ? found[0]! : found,
    ...(objects.length === 0 ? {} : ofObjects(objects, depth)),
    ...(items === null ? {} : { items }),
  };
}

function ofObjects(objects: readonly Readonly<Record<string, unknown>>[], depth: number): ValueSchema {
  const names = [...new Set(objects.flatMap((one) => Object.keys(one)))];
  const properties = names.map((name) => {
    const own = objects.flatMap((one) => (Object.hasOwn(one, name) ? [one[name]] : []));
    return [name, proposedSchema(own, depth + 1) ?? {}] as const;
  });
  const required = names.filter((name) => objects.every((one) => Object.hasOwn(one, name)));
  return {
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function typeOf(value: unknown): TypeName {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value as TypeName;
}
