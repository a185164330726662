import fc from "fast-check";
import { expect, it } from "vitest";
import { proposedSchema } from "../../../../src/policy/maps/proposed-schema.js";
import { valueCheck } from "../../../../src/policy/maps/value-schema.js";

it("proposes types, properties, and which of them all values have", () => {
  expect(proposedSchema([{ max: 4096, note: "web" }, { max: 1 }])).toEqual({
    type: "object",
    properties: { max: { type: "integer" }, note: { type: "string" } },
    required: ["max"],
    additionalProperties: false,
  });
  expect(proposedSchema([1, 1.5, null])).toEqual({ type: ["null", "number"] });
  expect(proposedSchema([["a"], [], [true]])).toEqual({ type: "array", items: { type: ["boolean", "string"] } });
  expect(proposedSchema([])).toBeNull();
});

it("proposes a schema that all values satisfy", () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 10 }), { minLength: 1, maxLength: 4 }), (values) => {
      const check = valueCheck(proposedSchema(values)!);
      for (const value of values) expect(check(value)).toBeNull();
    }),
  );
});
