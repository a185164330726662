import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/config/config.js";
import { TimedEngine } from "../src/engine/timed-engine.js";
import { Coverage } from "../src/workbench/coverage/coverage.js";
import { runMutants } from "../src/workbench/mutation/mutation-run.js";
import { type OpenEngine, runTests } from "../src/workbench/testing/test-run.js";
import { Site } from "../test/support/site.js";

/** The policies that ship, each with its test `POLICY.test.yaml`. */
const POLICIES = readdirSync(fileURLToPath(new URL(".", import.meta.url))).filter((name) =>
  /^[\w-]+\.(js|ts)$/.test(name),
);
const MAPS = ["debug_read_only", "allowed_programs", "container_policy", "program_budget"];

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
