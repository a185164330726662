import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { Workplace } from "../../../support/workplace.js";

interface Given {
  /** Selectors, by the name of their attachment and of its policy. */
  readonly scopes: Readonly<Record<string, string>>;
  /** Tests beside policies. */
  readonly tests?: Readonly<Record<string, string>>;
  /** Policies that do more than to allow. */
  readonly policies?: Readonly<Record<string, string>>;
  readonly map?: string;
}

const ALLOW = "export const bpf_prog_load = () => 0;";

async function warningsOf({ scopes, tests = {}, policies = {}, map }: Given) {
  const attachments = Object.entries(scopes).map(
    ([name, labels]) => `  - policy: policies/${name}.js\n    scope: { labels: ${JSON.stringify(labels)} }`,
  );
  const place = new Workplace(attachments.join("\n"), map === undefined ? "" : "maps: { rules: { file: rules.json } }");
  for (const name of Object.keys(scopes)) place.write(`policies/${name}.js`, policies[name] ?? ALLOW);
  for (const [name, text] of Object.entries(tests)) place.write(`policies/${name}.test.yaml`, text);
  if (map !== undefined) place.write("rules.json", map);
  const engine = await Engine.open(readConfig(place.config));
  engine.close();
  return engine.warnings.filter(({ code }) => code === "SCOPE_UNKNOWN_LABEL");
}

const TESTED = "- { file: a.o, labels: { tier: edge }, expect: allow }\n";
const READS = (read: string) =>
  `export const bpf_prog_load = (prog, current) => (current.container?.${read} === "edge" ? 0 : -1);`;

describe("a label of a scope is a warning", () => {
  it.each<[string, Given, string | null]>([
    ["like one of another two scopes", { scopes: { a: "teir=edge", b: "tier=edge", c: "tier in (a)" } }, "tier"],
    ["like one of a test", { scopes: { a: "teir=edge" }, tests: { a: TESTED } }, "tier"],
    [
      "like one of another policy's test",
      { scopes: { a: "teir", b: "app=web" }, tests: { b: TESTED.replace("edge", "edge, app: web") } },
      "tier",
    ],
    ["like one that a policy reads", { scopes: { a: "teir=edge" }, policies: { a: READS("labels?.tier") } }, "tier"],
    [
      "like one that a policy reads by a string",
      { scopes: { a: "teir" }, policies: { a: READS('labels["tier"]') } },
      "tier",
    ],
    ["that no test has", { scopes: { a: "app=web" }, tests: { a: TESTED } }, null],
    ["that is absent", { scopes: { a: "!teir", b: "tier", c: "tier" } }, "tier"],
    ["that is not in", { scopes: { a: "teir notin (a)", b: "tier", c: "tier" } }, "tier"],
    ["that is compared", { scopes: { a: "teir > 5", b: "tier", c: "tier" } }, "tier"],
    ["with a prefix", { scopes: { a: "acme.com/teir=a", b: "acme.com/tier", c: "acme.com/tier" } }, "acme.com/tier"],
  ])("%s", async (_, given, meant) => {
    const suspect = Object.values(given.scopes)[0]!.match(/[\w./]+/)![0];
    expect(await warningsOf(given)).toEqual([
      {
        code: "SCOPE_UNKNOWN_LABEL",
        message:
          `the scope of \`a\` has the label \`${suspect}\`, which no other scope, test, map or policy has` +
          (meant === null ? "" : ` (did you mean \`${meant}\`?)`),
        place: expect.stringMatching(/countersign\.yaml:\d+:\d+$/),
        remedy: "correct the label, or add a test case with this label",
      },
    ]);
  });

  it("in both of two scopes that are alike, since either can be wrong", async () => {
    expect(await warningsOf({ scopes: { a: "teir=edge", b: "tier=edge" } })).toMatchObject([
      { message: expect.stringContaining("(did you mean `tier`?)") },
      { message: expect.stringContaining("(did you mean `teir`?)") },
    ]);
  });
});

describe("a label of a scope is no warning", () => {
  it.each<[string, Given]>([
    ["where nothing else has a label", { scopes: { a: "teir=edge" } }],
    ["where nothing is like it", { scopes: { a: "tier=edge", b: "app=web" } }],
    ["where only short ones are like it", { scopes: { a: "app=web", b: "api=v1" } }],
    ["that two scopes have", { scopes: { a: "teir=edge", b: "teir=core" }, tests: { a: TESTED } }],
    ["that a test has", { scopes: { a: "tier=edge" }, tests: { a: TESTED } }],
    ["that a map has", { scopes: { a: "teir=edge" }, tests: { a: TESTED }, map: '{"k": {"teir": 1}}' }],
    ["that a policy has", { scopes: { a: "teir" }, tests: { a: TESTED }, policies: { a: READS("labels?.teir") } }],
    ["beside tests that cannot be read", { scopes: { a: "teir=edge" }, tests: { a: "- [" } }],
  ])("%s", async (_, given) => {
    expect(await warningsOf(given)).toEqual([]);
  });
});

const MAPS = ["container_policy", "debug_read_only", "allowed_programs", "program_budget"];

it("policies that ship give no warning", async () => {
  const policies = readdirSync(new URL("../../../../policies/", import.meta.url)).filter((file) =>
    /^[\w-]+\.[jt]s$/.test(file),
  );
  const place = new Workplace(
    policies.map((file) => `  - policy: policies/${file}`).join("\n"),
    `maps: { ${MAPS.map((map) => `${map}: { file: rules.json }`).join()} }`,
  );
  place.write("rules.json", "{}");
  for (const file of policies) place.policy(file);
  const engine = await Engine.open(readConfig(place.config));
  engine.close();
  expect(policies.length).toBeGreaterThanOrEqual(10);
  expect(engine.warnings).toEqual([]);
});
