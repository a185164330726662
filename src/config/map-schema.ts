import * as z from "zod";
import type { MapSchemaRules } from "../policy/maps/map-schema.js";
import type { ValueSchema } from "../policy/maps/value-schema.js";
import { json } from "./values.js";

/** Maximum nesting depth of the schema of a map's values. */
const MAX_DEPTH = 8;
/** Maximum number of schemas in it, with itself. */
const MAX_NODES = 200;
/** Maximum of `hex`, in bytes. */
const MAX_HEX = 512;

const filled = { error: "is empty; list one, or remove the key" };
const twice = { error: "lists one twice; remove one of them" };
const isDistinct = (list: readonly unknown[]) => new Set(list).size === list.length;
const type = z.enum(["null", "boolean", "object", "array", "number", "string", "integer"]);

const VALUE: z.ZodType<ValueSchema> = z
  .strictObject({
    type: z.union([type, z.array(type).min(1, filled).refine(isDistinct, twice)]).optional(),
    enum: z.array(json).min(1, filled).optional(),
    const: json.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    properties: z
      .record(
        z.string(),
        z.lazy(() => VALUE),
      )
      .optional(),
    required: z.array(z.string()).refine(isDistinct, twice).optional(),
    additionalProperties: z.union([z.literal(false), z.lazy(() => VALUE)]).optional(),
    items: z.lazy(() => VALUE).optional(),
    description: z.string().optional(),
  })
  .refine((schema) => schema.properties === undefined || schema.additionalProperties !== undefined, {
    error: "has `properties` without `additionalProperties`; write `additionalProperties: false`, or a schema",
  })
  .meta({ id: "valueSchema" });

export const VALUES = VALUE.superRefine((schema, context) => {
  const found = tooLarge(schema);
  if (found !== null) context.addIssue({ code: "custom", ...found });
}).describe("Schema of the values: a subset of JSON Schema 2020-12");

export const KEYS = z
  .union([
    z.strictObject({ enum: z.array(z.string()).min(1, filled).refine(isDistinct, twice) }),
    z.strictObject({ hex: z.int().min(1).max(MAX_HEX).describe("Bytes, as twice as many lower-case hex digits") }),
  ])
  .describe("What the keys may be");

const RULES = z.strictObject({ values: VALUES.optional(), keys: KEYS.optional() });

/** The schema of a map in a log; null if it is none. */
export function readMapSchema(value: unknown): MapSchemaRules | null {
  // A log can have any nesting, for which zod's recursion has no limit
  if (!isWithin(value, MAX_LOGGED)) return null;
  const result = RULES.safeParse(value);
  return result.success ? result.data : null;
}

/** More than a schema with values of `enum` can be deep: 2 levels for each schema, and 64 of a value. */
const MAX_LOGGED = 100;

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((held) => isWithin(held, depth - 1));
}

interface Located {
  readonly path: PropertyKey[];
  readonly message: string;
}

function tooLarge(root: ValueSchema): Located | null {
  let nodes = 0;
  const visit = (schema: ValueSchema, path: PropertyKey[], depth: number): Located | null => {
    nodes += 1;
    if (depth > MAX_DEPTH) return { path, message: `is nested deeper than ${MAX_DEPTH} schemas; write it flatter` };
    if (nodes > MAX_NODES) return { path, message: `is one of more than ${MAX_NODES} schemas; write fewer` };
    for (const [steps, its] of within(schema)) {
      const found = visit(its, [...path, ...steps], depth + 1);
      if (found !== null) return found;
    }
    return null;
  };
  return visit(root, [], 1);
}

type Subschema = readonly [steps: readonly string[], schema: ValueSchema];

function within({ properties = {}, additionalProperties, items }: ValueSchema): Subschema[] {
  return [
    ...Object.entries(properties).map(([name, its]) => [["properties", name], its] as const),
    ...(additionalProperties ? [[["additionalProperties"], additionalProperties] as const] : []),
    ...(items === undefined ? [] : [[["items"], items] as const]),
  ];
}
