import { readFileSync } from "node:fs";
import * as z from "zod";
import { own } from "./workplace.js";

/** The keywords of JSON Schema that schema/record.schema.json uses. */
interface Schema {
  readonly $ref?: string;
  readonly examples?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

const SCHEMA: { readonly $defs: Readonly<Record<string, Schema>> } = JSON.parse(
  readFileSync(own("schema/record.schema.json"), "utf8"),
);
const STRICT = z.fromJSONSchema(closed(SCHEMA) as Parameters<typeof z.fromJSONSchema>[0]);

/** Why a record does not match the schema, or has a field that the schema does not have; null if it matches. */
export function mismatch(record: unknown): string | null {
  const { error } = STRICT.safeParse(record);
  return error === undefined ? null : z.prettifyError(error);
}

/** The schema, with no other properties than those it lists. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const all = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  return "properties" in schema ? { ...all, additionalProperties: false } : all;
}

/** The name in the schema of the definition that a record is of. */
export function definitionOf(record: { readonly type: string }): string {
  if (record.type === "subject") return "subject_definition";
  return record.type === "decision" && "configuration" in record ? "decision_with_inputs" : record.type;
}

/** All fields, as `answer.steps`: with the definition that they are in. */
export const RECORD_FIELDS: readonly string[] = Object.entries(SCHEMA.$defs).flatMap(([definition, { properties }]) =>
  Object.keys(properties ?? {}).map((name) => `${definition}.${name}`),
);

/** The fields that a value of a definition has, and those of the values in it. */
export function fieldsIn(value: object, definition: string): readonly string[] {
  return Object.entries(SCHEMA.$defs[definition]?.properties ?? {}).flatMap(([name, schema]) => {
    const field = (value as Readonly<Record<string, unknown>>)[name];
    if (field === undefined) return [];
    const held = typeof schema.additionalProperties === "object" ? schema.additionalProperties.$ref : undefined;
    const inner = (schema.$ref ?? schema.oneOf?.[0]?.$ref ?? schema.items?.$ref ?? held)?.replace("#/$defs/", "");
    const values = inner === undefined || inner === "time" || field === null ? [] : [field].flat();
    const inside = held === undefined ? values : values.flatMap((one) => Object.values(one as object));
    return [`${definition}.${name}`, ...inside.flatMap((one) => fieldsIn(one as object, inner as string))];
  });
}

/** The examples of a field's values. */
export function examplesOf(definition: string, name: string): readonly string[] {
  return SCHEMA.$defs[definition]?.properties?.[name]?.examples ?? [];
}
