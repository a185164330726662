import { expect, it } from "vitest";
import { mapDeclarations } from "../../../../src/policy/maps/map-declarations.js";
import type { ValueSchema } from "../../../../src/policy/maps/value-schema.js";

const typeOf = (values: ValueSchema) =>
  /value: (.*) };\n/.exec(mapDeclarations([{ name: "m", schema: { values } }]))![1];

it.each<[ValueSchema, string]>([
  [{}, "any"],
  [{ minimum: 5 }, "any"],
  [{ type: "integer", minimum: 5 }, "number"],
  [{ type: ["string", "null"] }, "string | null"],
  [{ type: ["integer", "number"] }, "number"],
  [
    { enum: ["a", 5, null, true, ["x"], { a: 1 }, {}] },
    '"a" | 5 | null | true | readonly ["x"] | { "a": 1 } | Record<string, never>',
  ],
  [{ const: "any" }, '"any"'],
  [{ type: "array" }, "readonly any[]"],
  [{ type: "array", items: { type: ["string", "null"] } }, "readonly (string | null)[]"],
  [{ type: "object" }, "{ [name: string]: any }"],
  [{ type: "object", properties: {}, additionalProperties: false }, "Record<string, never>"],
  [{ type: "object", properties: { a: { type: "null" } }, additionalProperties: false }, '{ "a"?: null }'],
  [
    {
      type: "object",
      properties: { a: { type: "null" } },
      required: ["a", "b"],
      additionalProperties: { type: "string" },
    },
    '{ "a": null; "b": string; [name: string]: null | string | undefined }',
  ],
])("%j is %s", (schema, type) => expect(typeOf(schema)).toBe(type));

it("writes names and texts that TypeScript reads as they are", () => {
  const hostile = '"; } /* \u2028 */ $ \\';
  const text = mapDeclarations([{ name: hostile, schema: { keys: { enum: [hostile] }, values: { const: hostile } } }]);
  expect(text).toContain(
    `    ${JSON.stringify(hostile)}: { key: ${JSON.stringify(hostile)}; value: ${JSON.stringify(hostile)} };\n`,
  );
});
