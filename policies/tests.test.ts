import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readConfig } from "../src/config/config.js";
import { TimedEngine } from "../src/engine/timed-engine.js";
import { MapSchema, type MapSchemaRules } from "../src/policy/maps/map-schema.js";
import { Coverage } from "../src/workbench/coverage/coverage.js";
import { runMutants } from "../src/workbench/mutation/mutation-run.js";
import { type OpenEngine, runTests } from "../src/workbench/testing/test-run.js";
import { Site } from "../test/support/site.js";

/** The policies that ship, each with its test `POLICY.test.yaml`. */
const POLICIES = readdirSync(fileURLToPath(new URL(".", import.meta.url))).filter((name) =>
  /^[\w-]+\.(js|ts)$/.test(name),
);
/** The schemas of the maps that they look up. */
const SCHEMAS = parse(readFileSync(new URL("maps.yaml", import.meta.url), "utf8")) as Readonly<
  Record<string, MapSchemaRules>
>;
const MAPS = Object.keys(SCHEMAS);

/** Cases whose entries break the schema: what a policy answers to a user who gives the map none. */
const WITHOUT_SCHEMA: readonly string[] = [
  "not read-only, and the account is no number",
  "a budget that is no number",
  "an empty entry",
];

it("the schemas of their maps allow the entries of their tests, and no policy looks up another map", () => {
  const text = POLICIES.map((name) => readFileSync(new URL(name, import.meta.url), "utf8")).join("\n");
  expect(new Set(Array.from(text.matchAll(/map_lookup\("(\w+)"/g), ([, name]) => name))).toEqual(new Set(MAPS));
  const broken = POLICIES.flatMap((name) => {
    const file = new URL(name.replace(/\.[jt]s$/, ".test.yaml"), import.meta.url);
    const cases = parse(readFileSync(file, "utf8")) as readonly { readonly name: string; readonly maps?: object }[];
    return cases.filter(({ maps = {} }) =>
      Object.entries(maps).some(([map, entries]) => new MapSchema(SCHEMAS[map]!).firstBreach(entries) !== null),
    );
  });
  expect(broken.map((one) => one.name).sort()).toEqual([...WITHOUT_SCHEMA].sort());
});

describe.each(POLICIES)("the tests of %s", (policy) => {
  let site: Site;
  const config = () => readConfig(`${site.folder}/countersign.yaml`);
  const open: OpenEngine = (probe, changed = config(), texts = null) => TimedEngine.open(changed, { probe, texts });
  beforeAll(async () => {
    const maps = Object.fromEntries(MAPS.map((name) => [name, {}]));
    site = await Site.open({ attachments: [policy], keyrings: ["platform", "network", "vendor"], maps });
  });
  afterAll(() => site.close());

  it("pass, ask every hook, and reach every line and branch", async () => {
    const coverage = new Coverage(config().file);
    const { results, untested } = await runTests(config(), open, coverage);
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(untested).toEqual([]);
    const [file] = coverage.summary();
    expect(file?.missed).toEqual([]);
    expect(file?.branches.reached).toBe(file?.branches.found);
  });

  it("notice every change of the policy, or POLICY.mutants.yaml says why they cannot", { tags: ["deep"] }, async () => {
    const { mutants, total } = await runMutants(config(), open, Number.POSITIVE_INFINITY);
    expect(mutants.length).toBe(total);
    expect(total).toBeGreaterThan(2);
    expect(mutants.filter(({ status }) => status === "survived")).toEqual([]);
  });
});
