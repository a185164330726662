import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { provePolicies } from "../../../../src/cli/testing/policy-properties.js";
import { readConfig } from "../../../../src/config/config.js";
import { runCommand } from "../../../support/command-line.js";
import { Site } from "../../../support/site.js";
import { Workplace } from "../../../support/workplace.js";

const LIMITS = { paths: 2_000, timeout: 60_000 };
const FOLDER = fileURLToPath(new URL("../../../../policies/", import.meta.url));
const SHIPPED = readdirSync(FOLDER).filter((name) => /^[\w-]+\.[jt]s$/.test(name));
const MAPS = ["debug_read_only", "allowed_programs", "container_policy", "program_budget"];

describe("the properties beside the policies that ship", () => {
  it("are there for each policy, and proved", { tags: ["deep"] }, async () => {
    const maps = Object.fromEntries(MAPS.map((name) => [name, {}]));
    const site = await Site.open({ attachments: SHIPPED, keyrings: ["platform", "network", "vendor"], maps });
    const { results, files } = provePolicies(readConfig(`${site.folder}/countersign.yaml`), LIMITS);
    site.close();
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(new Set(results.map(({ attachment }) => attachment)).size).toBe(SHIPPED.length);
    expect(files.length).toBe(readdirSync(FOLDER).filter((name) => name.endsWith(".properties.js")).length);
  });
});

describe("countersign test --prove", () => {
  let place: Workplace;
  beforeEach(() => {
    place = new Workplace("  - { policy: policies/p.js, mode: audit, scope: { uid: [7] } }");
    place.write(
      "policies/p.js",
      'export const bpf_prog_load = (prog, { uid }) => (prog.name === "x" && uid === 0 ? -1 : 0);\n',
    );
    place.write("policies/p.test.yaml", "- { program: { type: xdp }, uid: 7, expect: allow }\n");
  });
  const prove = (properties: string, ...words: readonly string[]) => {
    place.write("policies/p.properties.js", properties);
    return runCommand("test", "--no-cache", "--prove", "--config", place.config, ...words);
  };
  const ALLOWS = "(prog, current, decision) => decision.verdict === 0";

  it("passes if all are proved, of the policy by itself: for all tasks, and enforced", { tags: ["deep"] }, async () => {
    const root = `export const only_root_is_denied = (prog, { uid }, { verdict }) => uid === 0 || verdict === 0;`;
    const { code, out } = await prove(root);
    expect(out).toMatch(/passed +\S*p\.properties\.js only_root_is_denied +any at bpf_prog_load +proved\n/);
    expect(out).toContain("2 passed, 0 failed");
    expect(code).toBe(0);
  });

  it("fails with an example if one is refuted, also in JSON and JUnit XML", async () => {
    const junit = place.at("results.xml");
    const { code, out } = await prove(`export const allows = ${ALLOWS};`, "--json", "--junit", junit);
    expect(code).toBe(1);
    const { cases } = JSON.parse(out);
    expect(cases[1]).toMatchObject({ name: "allows", expected: "proved", passed: false });
    expect(cases[1].got).toContain(
      'refuted: denied -EPERM: p: answered -EPERM without a reason, with prog.name = "x", current.uid = 0',
    );

    expect(readFileSync(junit, "utf8")).toContain('<failure message="expected proved, got refuted: denied -EPERM');
  });

  it("rejects a misspelt key on a path that comes after the first counterexample", async () => {
    const late = "(prog, { uid }, { verdict, answers }) => verdict === 0 ? false : answers[0].verdit === 0";
    expect(await prove(`export const allows = ${ALLOWS};\nexport const late = ${late};`)).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        "p.properties.js:2:97: `late`: reads `verdit`, which Answer does not have (did you mean `verdict`?) [PROPERTY_INVALID]",
      ),
    });
  });

  it("fails with the reason if one is not decided", async () => {
    const { code, out } = await prove("export const short = (prog) => prog.name.normalize() !== 'A';");
    expect(out).toMatch(/expected proved, got not decided: /);
    expect(code).toBe(1);
  });

  it("does not decide any more when the time for all properties is over, also in JSON and JUnit XML", {
    tags: ["deep"],
  }, async () => {
    const slow = (bits: number) => `(prog, { uid }) => {
      let sum = 0;
      for (let bit = 0; bit < ${bits}; bit += 1) if ((uid >> bit) & 1) sum += 1;
      return sum <= ${bits};
    };`;
    const properties = `export const first = ${slow(13)}\nexport const second = ${slow(4)}`;
    const junit = place.at("slow.xml");
    const { code, out } = await prove(properties, "--timeout", "1", "--json", "--junit", junit);
    expect(code).toBe(1);
    const got = "not decided: the exploration is not complete: the time limit was reached (raise --timeout)";
    // the second one alone is decided at once
    const [, first, second] = JSON.parse(out).cases;
    expect([first, second]).toMatchObject([
      { name: "first", got, passed: false },
      { name: "second", got, passed: false },
    ]);
    expect(readFileSync(junit, "utf8").split(`<failure message="expected proved, got ${got}">`)).toHaveLength(3);
  });

  it("says which option raises the number of paths, also in JSON and JUnit XML", { tags: ["deep"] }, async () => {
    const properties = [1, 2]
      .map((uid) => `export const not${uid} = (prog, { uid }) => uid !== ${uid} || true;`)
      .join("\n");
    const junit = place.at("paths.xml");
    const { code, out } = await prove(properties, "--max-paths", "1", "--json", "--junit", junit);
    expect(code).toBe(1);
    const [, ...cases] = JSON.parse(out).cases;
    expect(cases).toHaveLength(2);
    for (const { got, passed } of cases)
      expect([got, passed]).toEqual([expect.stringContaining("(raise --max-paths)"), false]);
    expect(readFileSync(junit, "utf8").split("(raise --max-paths)")).toHaveLength(3);
    expect((await prove(properties, "--max-paths", "100", "--json")).out).not.toContain("raise --max-paths");
  });

  it("rejects a time that is not a number of seconds", async () => {
    expect(await prove("export const holds = () => true;", "--timeout", "1m")).toMatchObject({
      code: 2,
      err: expect.stringContaining("give a number from 1 to 1000000"),
    });
  });

  it("has properties of one hook in a file of its own, and rejects a property that is no function", {
    tags: ["deep"],
  }, async () => {
    place.write("policies/p.blob_verify.properties.js", "export const other = 1;");
    expect((await prove(`export const holds = () => true;`)).code).toBe(0);
    place.write("policies/p.bpf_prog_load.properties.js", "export const other = 1;");
    expect(await prove(`export const holds = () => true;`)).toMatchObject({
      code: 2,
      err: expect.stringContaining("[PROPERTY_INVALID]"),
    });
  });
});

it("rejects --prove without any properties", async () => {
  const place = new Workplace("  - policy: policies/p.js");
  place.write("policies/p.js", "export const bpf_prog_load = () => 0;\n");
  place.write("policies/p.test.yaml", "- { program: { type: xdp }, expect: allow }\n");
  expect(await runCommand("test", "--no-cache", "--prove", "--config", place.config)).toMatchObject({
    code: 2,
    err: expect.stringContaining("[USAGE]"),
  });
});
