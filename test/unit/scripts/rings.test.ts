import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";

const script = (...words: readonly string[]) =>
  spawnSync(process.execPath, [own("scripts/test.mjs"), ...words], { encoding: "utf8" });

describe("npm test", () => {
  it("says which folders there are, if one is not", () => {
    const { status, stderr } = script("trusty");
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(/^npm test: there is no folder `trusty`; name a file, or one of: .*\btrust\b.*\n$/),
    });
  });

  it("says what it does", () => {
    const { status, stdout } = script("--help");
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining("npm test -- [FOLDER | FILE]…") });
    expect(stdout).not.toMatch(/^(?:\/\/|import )/m);
  });

  it("runs a folder, and no other that has the name of one in its path", { tags: ["deep"] }, () => {
    const { status, stdout } = script("hooks", "--reporter=verbose");
    const files = new Set(Array.from(stdout.matchAll(/\b(?:test|policies)\/\S+\.test\.ts/g), ([path]) => path));
    const there = readdirSync(own("test/unit/hooks"), { recursive: true, encoding: "utf8" });
    expect([...files].sort()).toEqual(
      there
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => `test/unit/hooks/${name}`)
        .sort(),
    );
    expect(status).toBe(0);
  });
});

describe("tests that are marked deep", () => {
  const folders = new Map<string, { tests: number; deep: number }>();
  for (const name of readdirSync(own("test/unit"), { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".test.ts")) continue;
    const text = readFileSync(own(`test/unit/${name}`), "utf8");
    const [folder = ""] = name.split("/");
    const known = folders.get(folder) ?? { tests: 0, deep: 0 };
    const tests = Array.from(text.matchAll(/^\s*it\b/gm)).length;
    const deep = /^\/\/ @module-tag deep$/m.test(text) ? tests : Array.from(text.matchAll(/tags: \["deep"\]/g)).length;
    folders.set(folder, { tests: known.tests + tests, deep: known.deep + deep });
  }

  // a place that calls `it` may have many tests: of tests, at most 15 % of a folder were deep when they were marked
  it.each([...folders])("are at most a quarter of the places in test/unit/%s", (_, { tests, deep }) => {
    expect(deep / tests).toBeLessThanOrEqual(0.25);
  });
});
