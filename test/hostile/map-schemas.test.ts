import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/config.js";
import { CountersignError } from "../../src/error.js";

const configOf = (map: string) =>
  parseConfig("c.yaml", `version: 1\nmaps:\n  m: { file: m.yaml, ${map} }\nattachments: [{ policy: p.js }]\n`);
const nested = (depth: number) => `${"{ items: ".repeat(depth - 1)}{}${" }".repeat(depth - 1)}`;
const wide = (nodes: number) =>
  `{ additionalProperties: false, properties: { ${Array.from({ length: nodes - 1 }, (_, at) => `p${at}: {}`)} } }`;

describe("schemas of maps", () => {
  it.each([
    ["a schema at the limits", `values: ${nested(8)}`],
    ["as many schemas as may be", `values: ${wide(200)}`],
    ["lists of types", 'values: { type: ["null", string] }, keys: { hex: 32 }'],
    ["constant null", "values: { const: null }"],
  ])("are taken: %s", (_, map) => {
    expect(configOf(map).maps[0]?.schema).toBeDefined();
  });

  it.each([
    ["deeper than 8", `values: ${nested(9)}`, "is nested deeper than 8 schemas"],
    ["much deeper", `values: ${nested(90)}`, "is nested"],
    ["deep beyond the parser", `values: ${"{ items: ".repeat(50_000)}`, ""],
    ["more than 200 schemas", `values: ${wide(201)}`, "is one of more than 200 schemas"],
    ["very many schemas", `values: ${wide(20_000)}`, "is one of more than 200 schemas"],
    ["another keyword", "values: { pattern: x }", "unknown key `pattern`"],
    ["a reference", "values: { $ref: '#' }", "unknown key `$ref`"],
    ["a keyword of a schema within", "values: { items: { oneOf: [] } }", "unknown key `oneOf`"],
    ["a boolean schema", "values: true", "should be a mapping"],
    ["additional properties that are just allowed", "values: { additionalProperties: true }", "`true` is not `false`"],
    ["properties alone", "values: { properties: { a: {} } }", "has `properties` without `additionalProperties`"],
    ["no known type", "values: { type: text }", "text"],
    ["an empty list of types", "values: { type: [] }", "is empty"],
    ["a type twice", "values: { type: [object, object] }", "lists one twice"],
    ["a limit that is no number", "values: { minimum: .inf }", "minimum"],
    ["a limit that is text", "values: { maximum: '1' }", "maximum"],
    ["an empty enum", "values: { enum: [] }", "is empty"],
    ["a constant that JSON lacks", "values: { const: .inf }", "is not a JSON value"],
    ["a rounded constant", "values: { enum: [9007199254740993] }", "beyond 2^53"],
    ["a name that objects have", "values: { additionalProperties: false, properties: { __proto__: {} } }", "__proto__"],
    ["a value with that name", "values: { const: { __proto__: 1 } }", "__proto__"],
    ["keys of both forms", "keys: { hex: 32, enum: [a] }", ""],
    ["keys of no form", "keys: {}", ""],
    ["no bytes of hex", "keys: { hex: 0 }", "less than the least, 1"],
    ["too many bytes of hex", "keys: { hex: 513 }", "more than the most, 512"],
    ["a rule for kept entries without a schema", "on_invalid: stop", "has `on_invalid`, but neither"],
    ["a list as keys", "keys: [a]", ""],
  ])("are refused: %s", (_, map, message) => {
    let error: unknown;
    try {
      configOf(map);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CountersignError);
    const { code, place, message: told } = error as CountersignError;
    expect(code).toBe("CONFIG_INVALID");
    expect(place).toMatch(/^c\.yaml:[0-9]+:[0-9]+$/);
    expect(told).toContain(message);
  });
});
