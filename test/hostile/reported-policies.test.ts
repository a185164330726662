// @module-tag deep
/**
 * Policies that once showed a fault of the sandbox or the linker, as they were reported: each is rejected, denied or
 * decided as it should have been. The files are in fixtures/policies, one folder for each kind.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { runCommand } from "../support/command-line.js";

const fixtures = new URL("fixtures/policies/", import.meta.url);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-reported-"));
  cpSync(fixtures, folder, { recursive: true });
  for (let index = 0; index < FILES; index++) writeFileSync(join(folder, `f${index}`), `blob ${index}`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const FILES = 40;

interface Decided {
  readonly verdict: number;
  readonly answers: readonly { readonly fault: object | null }[];
}

/** What `check` decides about so many distinct files. */
async function check(config: string, files: number, ...more: readonly string[]) {
  const names = Array.from({ length: files }, (_, index) => join(folder, `f${index}`));
  const { code, out, err } = await runCommand("check", "--json", "--config", join(folder, config), ...more, ...names);
  const decisions =
    out === "" || out.startsWith('{"error"')
      ? []
      : [JSON.parse(out) as { decisions: readonly Decided[] }].flat().flatMap((file) => file.decisions);
  return { code, err, verdicts: decisions.map(({ verdict }) => verdict), decisions };
}

describe("a reported policy that is rejected", () => {
  it.each([
    ["countersign.yaml", "POLICY_FORBIDDEN", "rules.ts:3:1: has a `namespace` or `module`"],
    ["exp/countersign.yaml", "POLICY_FORBIDDEN", "p.ts:2:11: nests `<T>(` more than 8 levels deep"],
    ["invis/countersign.yaml", "POLICY_FORBIDDEN", "invis.js:3:44: has the character U+3164"],
    ["stamp/countersign.yaml", "POLICY_FORBIDDEN", "stamp.js:4:37: has a class with private names"],
  ])("%s: %s", async (config, code, words) => {
    const { code: exit, err } = await check(config, 2);
    expect(exit).toBe(2);
    expect(err).toContain(`[${code}]`);
    expect(err).toContain(words);
  });
});

describe("a reported policy that assigns to an inherited name", () => {
  const policies = readdirSync(new URL("override/", fixtures)).filter((file) => file.endsWith(".js"));

  it("is one of eleven", () => expect(policies).toHaveLength(11));

  it.each(policies)("is decided without a fault: %s", async (file) => {
    const { code, err, decisions } = await check(`override/${file.replace(/\.js$/, ".yaml")}`, 1);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(decisions.map(({ verdict, answers }) => [verdict, answers.map(({ fault }) => fault)])).toEqual([
      [0, [null]],
    ]);
  });
});

describe("a reported map of another domain's", () => {
  const THREE = [0, 0, 0, -1, -1, -1];

  it("counts to three where no other domain names it", async () => {
    expect((await check("maps/alone.yaml", 6)).verdicts).toEqual(THREE);
  });

  it.each(["forged", "filled"])(
    "is rejected where two domains name it and none is said to own it: %s",
    async (name) => {
      const { code, err } = await check(`maps/${name}.yaml`, 6);
      expect(code).toBe(2);
      expect(err).toMatch(
        /maps\/\w+\.yaml:3:3: the map `counts` is named by policies of the domains .*\[CONFIG_INVALID\]/,
      );
    },
  );

  it.each(["forged", "filled"])("counts to three whatever another domain than its writer's does: %s", async (name) => {
    const text = readFileSync(join(folder, `maps/${name}.yaml`), "utf8");
    writeFileSync(join(folder, `maps/${name}-owned.yaml`), text.replace("counts: {", "counts: { writers: [a],"));
    const { verdicts, err } = await check(`maps/${name}-owned.yaml`, 6);
    expect(verdicts).toEqual(THREE);
    expect(err).toContain("[MAP_WRITE_DENIED]");
  });
});

describe("a reported policy that takes long to compile", () => {
  it("is rejected at start, and no domain's decision waits for it", async () => {
    for (let index = 0; index < 4; index++)
      writeFileSync(
        join(folder, `compile/f${index}.js`),
        `export const x${index} = () => /[${"\\p{L}".repeat(40_000 / 5)}]/u;\n`,
      );
    const { code, err } = await check("compile/countersign.yaml", 1, "--label", "who=b");
    expect(code).toBe(2);
    expect(err).toContain("[POLICY_TOO_LARGE]");
    const fine = { version: 1, attachments: [{ policy: "fine.js" }] };
    writeFileSync(join(folder, "compile/fine.yaml"), stringify(fine));
    expect((await check("compile/fine.yaml", 1)).verdicts).toEqual([0]);
  });
});
