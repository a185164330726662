import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MapSchema } from "../../../../src/policy/maps/map-schema.js";
import { type ValueSchema, valueCheck } from "../../../../src/policy/maps/value-schema.js";

const isValid = (schema: ValueSchema, value: unknown) => valueCheck(schema)(value) === null;

describe("a schema of values", () => {
  const budget: ValueSchema = {
    type: "object",
    properties: { max_insns: { type: "integer", minimum: 1 }, ports: { type: "array", items: { type: "integer" } } },
    required: ["max_insns"],
    additionalProperties: false,
  };

  it("names the first part that breaks it, and what is wrong there", () => {
    const check = valueCheck(budget);
    expect(check({ max_insns: 5, ports: [1] })).toBeNull();
    expect(check([])).toEqual({ path: [], flaw: "is array, where `type` is object" });
    expect(check({})).toEqual({ path: [], flaw: "lacks `max_insns`, which is `required`" });
    expect(check({ max_insns: 0 })).toEqual({ path: ["max_insns"], flaw: "is 0, less than the `minimum` 1" });
    expect(check({ max_insns: 1, x: 1 })).toEqual({ path: ["x"], flaw: "is none of the `properties`" });
    expect(check({ max_insns: 1, ports: [1, null] })).toEqual({
      ...{ path: ["ports", 1], flaw: "is null, where `type` is integer" },
    });
  });

  it("takes names that objects inherit as any other name", () => {
    const value = JSON.parse('{"max_insns": 1, "__proto__": 1}');
    expect(valueCheck(budget)(value)?.path).toEqual(["__proto__"]);
    expect(isValid({ required: ["constructor"] }, {})).toBe(false);
    expect(isValid({ required: ["__proto__"] }, value)).toBe(true);
    expect(isValid({ enum: [{}] }, JSON.parse('{"__proto__": {}}'))).toBe(false);
    for (const name of ["constructor", "toString", "__proto__"])
      expect(isValid({ properties: {}, additionalProperties: false }, JSON.parse(`{"${name}":1}`)), name).toBe(false);
  });

  it("is not deeper in a value than it is itself", () => {
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(isValid({ type: "array", items: { type: "array" } }, deep)).toBe(true);
    expect(isValid({ enum: [[[]]], items: { type: "array" } }, deep)).toBe(false);
  });

  it("takes no number that JSON.parse rounded to infinity as a number", () => {
    for (const type of ["number", "integer"] as const) expect(isValid({ type }, JSON.parse("1e999")), type).toBe(false);
  });
});

describe("a schema of keys", () => {
  it("takes lower-case hex digits of a number of bytes", () => {
    const schema = new MapSchema({ keys: { hex: 2 } });
    expect(schema.breach("00ff", 1)).toBeNull();
    for (const key of ["00FF", "00f", "00ff0", "00fg", "", "00f\n", "００ff"])
      expect(schema.breach(key, 1)?.what, JSON.stringify(key)).toBe("key");
  });

  it("takes the keys of a list", () => {
    const schema = new MapSchema({ keys: { enum: ["a", "__proto__"] }, values: { type: "integer" } });
    expect(schema.breach("__proto__", 1)).toBeNull();
    expect(schema.breach("constructor", 1)).toMatchObject({ what: "key", path: ["constructor"] });
    expect(schema.breach("a", "1")).toMatchObject({ what: "value", path: ["a"] });
  });
});

// Ajv leaves out the name `__proto__` in `properties`, which the configuration rejects
const name = fc.constantFrom("a", "b", "constructor", "c~/%");
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    fc.constantFrom(null, true, false, 0, -0, 1, 1.5, -1, 1e300, 2, "", "a", "1"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const type = fc.constantFrom("null", "boolean", "object", "array", "number", "string", "integer");
const limit = fc.constantFrom(-1, 0, 1, 1.5);

/** Schemas of at most three keywords, since one of many accepts hardly any value that is drawn. */
function schemas(depth: number): fc.Arbitrary<ValueSchema> {
  const inner = depth === 0 ? fc.constant({}) : schemas(depth - 1);
  const all = fc.record<Required<ValueSchema>>({
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 3 })),
    enum: fc.array(json, { minLength: 1, maxLength: 4 }),
    const: json,
    minimum: limit,
    maximum: limit,
    properties: fc.dictionary(name, inner, { maxKeys: 3, noNullPrototype: true }),
    required: fc.uniqueArray(name, { maxLength: 2 }),
    additionalProperties: fc.oneof(fc.constant(false as const), inner),
    items: inner,
    description: fc.constant("text"),
  });
  const names = ["type", "enum", "const", "minimum", "maximum", "properties", "required", "additionalProperties"];
  return fc
    .tuple(all, fc.subarray([...names, "items", "description"], { maxLength: 3 }))
    .map(([schema, kept]) => Object.fromEntries(Object.entries(schema).filter(([keyword]) => kept.includes(keyword))));
}

describe("schemas that were drawn", () => {
  it("accept the values that ajv accepts", () => {
    const ajv = new Ajv2020({ strict: false, addUsedSchema: false, ownProperties: true });
    const seen = { valid: 0, not: 0 };
    fc.assert(
      fc.property(schemas(2), fc.array(json, { minLength: 1, maxLength: 8 }), (schema, values) => {
        const [validate, check] = [ajv.compile(schema), valueCheck(schema)];
        for (const value of values) {
          const expected = validate(value);
          seen[expected ? "valid" : "not"] += 1;
          expect(check(value) === null, JSON.stringify([schema, value])).toBe(expected);
        }
      }),
      { seed: 35, numRuns: 1500 },
    );
    expect(Math.min(seen.valid, seen.not)).toBeGreaterThan(300);
  });
});
