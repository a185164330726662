import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POLICY_TEST } from "../../src/cli/files/init-files.js";
import { switchKernel } from "../support/switch-kernel.js";
import { pattern, type Ran, stepsOf, walk } from "../support/walkthrough.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Documents whose code a reader is meant to run, and the fewest steps that each has; first those that come first. */
const FIRST = [
  ["README.md", 5],
  ["docs/tutorial.md", 15],
] as const;
const OTHERS = [
  ["docs/guide.md", 31],
  ["docs/testing.md", 4],
  ["docs/objects.md", 2],
  ["docs/signatures.md", 4],
  ["docs/offline-lists.md", 8],
  ["docs/tools.md", 1],
  ["docs/log.md", 4],
  ["docs/learn.md", 9],
  ["docs/prove.md", 14],
] as const;

describe.each(FIRST)("%s", runsAsShown);
describe.each(OTHERS)("%s", { tags: ["deep"] }, runsAsShown);

function runsAsShown(document: string, fewest: number) {
  const steps = stepsOf(join(root, document));
  let folder: string;
  let ran: Ran[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    for (const name of ["bin", "examples", "dist", "scripts", "package.json"])
      symlinkSync(join(root, name), join(folder, name));
    // A copy: if a step fails, later ones save their files in a folder that was not meant.
    cpSync(join(root, "policies"), join(folder, "policies"), { recursive: true });
    symlinkSync(join(root, "bin/countersign.js"), join(folder, "countersign"));
    for (const [release, at] of [
      ["6.12", 1280],
      ["7.2", 1344],
    ] as const) {
      mkdirSync(join(folder, "kernels", release), { recursive: true });
      writeFileSync(join(folder, "kernels", release, "vmlinux"), switchKernel({ at }).bytes());
    }
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/countersign"));
    const { FORCE_COLOR: _, ...env } = process.env;
    ran = walk(steps, folder, { ...env, PATH: `${folder}:${process.env.PATH}` });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it(`has at least ${fewest} steps`, () => expect(steps.length).toBeGreaterThanOrEqual(fewest));

  it.each(steps.map((step, index) => [step.line, step.title, index] as const))(
    "line %i: %s",
    (_line, _title, index) => {
      const { shown, printed } = ran[index] as Ran;
      expect(`${printed.join("\n")}\n`).toMatch(pattern(shown ?? [""]));
    },
  );
}

describe("README.md", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");

  it("shows allow-unsigned-tc as it ships", () => {
    expect(readme).toContain(readFileSync(join(root, "policies/allow-unsigned-tc.js"), "utf8"));
  });

  it("shows the test of that policy as `init` writes it", () => expect(readme).toContain(POLICY_TEST));

  it("has at most 200 lines", () => expect(readme.split("\n").length).toBeLessThanOrEqual(201));

  it("names scripts that package.json has", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const named = Array.from(readme.matchAll(/\bnpm run (?:-s )?([\w:]+)/g), ([, name]) => name as string);
    expect(named).toContain("demo");
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });
});
