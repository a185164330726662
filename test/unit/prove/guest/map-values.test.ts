import { describe, expect, it } from "vitest";
import type { MapSchemaRules } from "../../../../src/policy/maps/map-schema.js";
import { ExploredPolicy } from "../../../support/prove.js";

/** The ends of a policy whose map `program_budget` has a schema; each is confirmed by the engine. */
function endsOf(body: string, rules: MapSchemaRules): readonly string[] {
  const look = (key: string) => `map_lookup("program_budget", ${key})`;
  const text = `import { deny, map_lookup } from "countersign";
export const bpf_prog_load = (prog, current) => { ${body.replace(/@(\S+?)@/g, (_, key: string) => look(key))} };`;
  const policy = ExploredPolicy.of(text);
  const exploration = policy.explore("bpf_prog_load", 100, { program_budget: rules });
  for (const { status, wrong } of policy.confirmations(exploration))
    expect([status, wrong]).toEqual(["confirmed", null]);
  policy.close();
  return exploration.paths.map(({ end }) => (end.kind === "verdict" ? String(end.verdict) : end.kind)).sort();
}

describe("values of a map with a schema", () => {
  const budget: MapSchemaRules = {
    values: {
      type: "object",
      properties: {
        max: { type: "integer", minimum: 1, maximum: 4096 },
        level: { enum: ["low", "high", 1, 5] },
        errno: { type: "integer", minimum: -13, maximum: -1 },
        names: { type: "array", items: { enum: ["a", "b"] } },
      },
      required: ["max"],
      additionalProperties: false,
    },
  };

  it.each([
    ["a required property is there, and of its type", 'return typeof @"x"@?.max === "string" ? -1 : 0;', ["0", "0"]],
    ["no object lacks it", 'return (@"x"@ ?? { max: 1 }).max === undefined ? -1 : 0;', ["0", "0"]],
    [
      "its bounds hold",
      'const v = @"x"@; return v && (v.max < 1 || v.max > 4096 || v.max === 2.5) ? -1 : 0;',
      ["0", "0"],
    ],
    ["its sums are those of integers", 'const v = @"x"@; return v && v.max * 2 + 1 < 3 ? -1 : 0;', ["0", "0"]],
    ["there are no other properties", 'const v = @"x"@; return v?.other || v?.Max ? -1 : 0;', ["0", "0"]],
    [
      "a text is one of those that are listed",
      'const l = @"x"@?.level; return l === "medium" || l === "" ? -1 : 0;',
      null,
    ],
    ["a number is, too", 'const l = @"x"@?.level; return typeof l === "number" && l > 1 && l < 5 ? -1 : 0;', null],
    ["an element of an array is", 'return @"x"@?.names?.some((one) => one !== "a" && one !== "b") ? -1 : 0;', null],
  ])("%s", (_, body, ends) => {
    const found = endsOf(body, budget);
    expect(new Set(found)).toEqual(new Set(["0"]));
    if (ends !== null) expect(found).toEqual(ends);
  });

  it("a value that is an integer within the range of verdicts is one", () => {
    const text = `import { map_lookup } from "countersign";
export const bpf_prog_load = () => map_lookup("program_budget", "x")?.errno ?? 0;`;
    const policy = ExploredPolicy.of(text);
    const ends = policy.explore("bpf_prog_load", 100, { program_budget: budget }).paths.map(({ end }) => end);
    expect(ends.map((end) => (end.kind === "verdict" ? typeof end.verdict : end.kind)).sort()).toEqual([
      ...["number", "number", "object"],
    ]);
    policy.close();
  });

  it.each<[string, MapSchemaRules]>([
    ["is absent", { keys: { enum: ["y"] } }],
    ["is no text of so many hex digits", { keys: { hex: 2 } }],
    ["has no value that there can be", { values: { type: "string", enum: [1] } }],
  ])("a key that %s is never there", (_, rules) =>
    expect(endsOf('return @"x"@ === undefined ? 0 : -1;', rules)).toEqual(["0"]),
  );

  it("a text under which there is a value is one of the keys", () => {
    const body = "return @prog.name@ !== undefined && prog.name !== 'edge' && prog.name !== 'core' ? -1 : 0;";
    expect(endsOf(body, { keys: { enum: ["edge", "core"] } })).not.toContain("-1");
    expect(
      endsOf("return @prog.name@ !== undefined && !prog.name.startsWith('f') ? -1 : 0;", { keys: { hex: 1 } }),
    ).toEqual(["-1", "0", "0"]);
    expect(
      endsOf("return @prog.name@ !== undefined && prog.name.includes('x') ? -1 : 0;", { keys: { hex: 1 } }),
    ).toEqual(["0", "0"]);
  });

  it("has parts that depend on each other as in one of the listed values, in an example", () => {
    const values = {
      enum: [
        { a: 1, b: "x" },
        { a: 2, b: "y" },
      ],
    };
    const policy = ExploredPolicy.of(`import { map_lookup } from "countersign";
export const bpf_prog_load = () => { const v = map_lookup("program_budget", "x"); return v?.a === 2 ? -1 : 0; };`);
    const exploration = policy.explore("bpf_prog_load", 100, { program_budget: { values } });
    const confirmed = policy.confirmations(exploration).flatMap((one) => ("input" in one ? [one.input] : []));
    const found = confirmed.map((input) => input.answer({ kind: "lookup", map: "program_budget", key: [] }, "x"));
    expect(found).toEqual(expect.arrayContaining([undefined, values.enum[0], values.enum[1]]));
    policy.close();
  });

  it("without a schema is any", () => {
    const ends = endsOf('const v = @"x"@; return typeof v === "number" && v > 4096 ? -1 : 0;', {});
    expect(ends).toContain("-1");
  });
});
