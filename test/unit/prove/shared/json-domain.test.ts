import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ValueSchema, valueCheck } from "../../../../src/policy/maps/value-schema.js";
import type { JsonDomain } from "../../../../src/prove/shared/atom.js";
import { elementsOfArray, entryOfObject, jsonDomain, jsonTypeOf } from "../../../../src/prove/shared/json-domain.js";
import { canHaveKey } from "../../../../src/prove/shared/known-maps.js";
import { completed } from "../../../../src/prove/witness/completed-value.js";
import { numbers } from "../../../support/damage.js";
import { randomSchema, schemaValue } from "../../../support/random-schemas.js";

describe("the domain of a value of a schema", () => {
  it.each<[ValueSchema[], Partial<JsonDomain>]>([
    [[{ type: ["integer", "null"], minimum: 0.5, maximum: 4.5 }], { types: ["null", "number"], least: 1, most: 4 }],
    [[{ type: ["integer", "number"] }], { types: ["number"], isInteger: false }],
    [[{ type: "integer", minimum: 1.2, maximum: 1.8 }], { types: [] }],
    [
      [{ enum: ["a", 5, 1, null, {}] }],
      { types: ["null", "number", "string", "object"], texts: ["a"], numbers: [1, 5] },
    ],
    [[{ enum: ["a", 5], type: "string" }], { types: ["string"] }],
    [[{ enum: [1, 2, 3, 2.5], minimum: 2, type: "integer" }], { numbers: [2, 3], least: 2, most: 3, isInteger: true }],
    [[{ const: -0 }], { types: ["number"], numbers: [0] }],
    [[{ enum: ["a", "b"] }, { enum: ["b", "c"] }], { types: ["string"], texts: ["b"] }],
    [
      [{ minimum: 3 }],
      { types: ["null", "true", "false", "number", "string", "array", "object"], least: 3, most: null },
    ],
    [[], { types: ["null", "true", "false", "number", "string", "array", "object"], texts: null }],
  ])("%j", (schemas, domain) => expect(jsonDomain(schemas)).toMatchObject(domain));

  it("says which properties an object has", () => {
    const schema: ValueSchema = {
      properties: { a: { type: "null" }, never: { enum: [1], type: "string" } },
      required: ["a", "c"],
      additionalProperties: { type: "string" },
    };
    const presence = (of: ValueSchema, name: string) => entryOfObject([of], name).presence;
    expect(["a", "b", "c", "never"].map((name) => presence(schema, name))).toEqual([
      "always",
      "maybe",
      "always",
      "never",
    ]);
    expect(presence({ properties: {}, additionalProperties: false }, "constructor")).toBe("never");
    const listed: ValueSchema = { enum: [{ a: 1, b: 2 }, { a: "x" }, "text"] };
    expect(["a", "b", "c"].map((name) => presence(listed, name))).toEqual(["always", "maybe", "never"]);
    expect(jsonDomain(entryOfObject([listed], "a").schemas)).toMatchObject({ texts: ["x"], numbers: [1] });
  });
});

/** The first part of a value that is not in its domain; null if there is none. */
function outside(value: unknown, schemas: readonly ValueSchema[]): unknown {
  const { types, texts, numbers, least, most, isInteger } = jsonDomain(schemas);
  if (!types.includes(jsonTypeOf(value))) return value;
  if (typeof value === "string") return texts?.includes(value) === false ? value : null;
  if (typeof value === "number") {
    const isInside = value >= (least ?? -Infinity) && value <= (most ?? Infinity) && (numbers?.includes(value) ?? true);
    return isInside && (!isInteger || Number.isInteger(value)) ? null : value;
  }
  if (Array.isArray(value))
    return value.map((one) => outside(one, elementsOfArray(schemas))).find((one) => one !== null) ?? null;
  if (typeof value !== "object" || value === null) return null;
  for (const name of ["a", "b", "list", "toString", ...Object.keys(value)]) {
    const { presence, schemas: its } = entryOfObject(schemas, name);
    const isThere = Object.hasOwn(value, name);
    if (isThere ? presence === "never" : presence === "always") return [name, presence];
    const found = isThere ? outside((value as Record<string, unknown>)[name], its) : null;
    if (found !== null) return found;
  }
  return null;
}

it("leaves out no value that a schema allows", () => {
  let count = 0;
  for (let round = 0; round < 3_000; round++) {
    const next = numbers(round);
    const schema = randomSchema(next, 3);
    for (let drawn = 0; drawn < 5; drawn++) {
      const value = schemaValue(schema, next);
      if (value === undefined) continue;
      expect(outside(value, [schema]), JSON.stringify([schema, value])).toBeNull();
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(8_000);
});

it("completes a value so that it mostly satisfies its schema, and leaves one that does as it is", () => {
  let [count, right] = [0, 0];
  for (let round = 0; round < 2_000; round++) {
    const next = numbers(round);
    const schema = randomSchema(next, 3);
    const [check, value] = [valueCheck(schema), schemaValue(schema, next)];
    if (value === undefined) continue;
    expect(completed(value, [schema]), JSON.stringify(schema)).toEqual(value);
    count += 1;
    right += check(completed(undefined, [schema])) === null ? 1 : 0;
  }
  expect(right).toBeGreaterThan(0.95 * count);
});

it("takes the keys that the schema of a map allows", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom("00ff", "00FF", "a", "__proto__")), (key) => {
      expect(canHaveKey({}, key)).toBe(true);
      expect(canHaveKey({ keys: { enum: ["a", "__proto__"] } }, key)).toBe(key === "a" || key === "__proto__");
      expect(canHaveKey({ keys: { hex: 2 } }, key)).toBe(/^[0-9a-f]{4}$/.test(key) && key.length === 4);
    }),
  );
});
