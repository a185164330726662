import { describe, expect, it } from "vitest";
import type { ValueSchema } from "../../../../../src/policy/maps/value-schema.js";
import { LinkTime } from "../../../../../src/policy/syntax/link-time.js";
import { readUnits, type Unit } from "../../../../../src/policy/units/units.js";
import { schemaComplaints } from "../../../../../src/workbench/lint/rules/map-schemas.js";
import { numbers } from "../../../../support/damage.js";
import { randomSchema, schemaValue } from "../../../../support/random-schemas.js";

function unitOf(body: string): Unit {
  const text = `import { map_lookup } from "countersign";\nexport function bpf_prog_load() {\n${body}\n}\n`;
  return readUnits("policy.js", { read: () => text, root: "." }, new LinkTime("policy.js")).at(-1)!;
}

function found(body: string, values: ValueSchema): string[] {
  return Array.from(schemaComplaints(unitOf(body), new Map([["m", { values }]])), ({ rule }) => rule.code);
}

const LOOKUP = '  const v = map_lookup("m", "x");\n';
const CONSTANTS = ["null", "true", "0", "-1", "2", "2.5", "6", '""', '"a"', '"number"', '"object"', '"undefined"'];
const EXPRESSIONS = ["v", "v?.a", "v?.b", "v?.list", "v?.a?.b", "typeof v", "typeof v?.a", "(v ?? {}).a", "v?.[0]"];
const OPERATORS = ["===", "!==", "<", "<=", ">", ">="];

describe("complaints about what the schema of a map excludes", () => {
  it("are about comparisons that have one outcome for all values that the schema allows", () => {
    const seed = 0x6c696e74;
    const next = numbers(seed);
    let complaints = 0;
    for (let round = 0; round < 1500; round++) {
      const schema = randomSchema(next, 2);
      const [left, right] = [EXPRESSIONS[next(EXPRESSIONS.length)]!, CONSTANTS[next(CONSTANTS.length)]!];
      const operator = OPERATORS[next(OPERATORS.length)]!;
      const text = next(4) === 0 ? `${right} ${operator} ${left}` : `${left} ${operator} ${right}`;
      const codes = found(`${LOOKUP}  return ${text} ? 1 : 0;`, schema);
      if (codes.length === 0) continue;
      complaints += 1;
      const values = Array.from({ length: 12 }, () => schemaValue(schema, next)).filter((value) => value !== undefined);
      const outcome = new Function("v", `return ${text}`) as (value: unknown) => boolean;
      const read = new Function("v", `return ${left.replace("typeof ", "")}`) as (value: unknown) => unknown;
      const shown = `seed ${seed}, ${text} by ${JSON.stringify(schema)}`;
      for (const value of values) {
        if (codes.includes("LINT_MAP_VALUE_IMPOSSIBLE"))
          expect(outcome(value), `${shown} of ${JSON.stringify(value)}`).toBe(operator === "!==");
        else expect(read(value), `${shown} of ${JSON.stringify(value)}`).toBeUndefined();
      }
    }
    expect(complaints).toBeGreaterThan(100);
  });

  const limits: ValueSchema = {
    type: "object",
    properties: { max: { type: "integer", minimum: 1, maximum: 9 }, list: { type: "array", items: { enum: ["a"] } } },
    additionalProperties: false,
  };

  it.each([
    ["an absent entry", `${LOOKUP}  return v === undefined ? 0 : 1;`],
    ["the last allowed number", `${LOOKUP}  return v.max >= 9 ? 0 : 1;`],
    ["a property that the policy writes", `${LOOKUP}  v.max = 20;\n  return v.max === 20 ? 0 : 1;`],
    ["an element that the policy adds", `${LOOKUP}  v.list.push("b");\n  return v.list[0] === "b" ? 0 : 1;`],
    ["a variable with another value", '  let v = map_lookup("m", "x");\n  v = { other: 1 };\n  return v.other;'],
    ["a default with other contents", '  const v = map_lookup("m", "x") ?? { other: 1 };\n  return v.other;'],
    ["a property that objects inherit", `${LOOKUP}  return v.hasOwnProperty("max") ? 0 : 1;`],
    ["another map", '  const v = map_lookup("n", "x");\n  return v.other;'],
    ["a computed key", '  const v = map_lookup("m", String(1));\n  return v.other;'],
  ])("are not about %s", (_, body) => {
    expect(found(body, limits)).toEqual([]);
  });
});
