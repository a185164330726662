import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LINT_RULES } from "../../../../src/workbench/lint/rules.js";
import { LintFolder, markedPlace } from "../../../support/lint.js";
import { FOUND_AT_START, FOUND_BY_LINT } from "../../../support/planted-mistakes.js";

describe("lint", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  const planted = [...FOUND_AT_START, ...FOUND_BY_LINT];

  it.each(planted.map((one, index) => [one.code, one.title, index] as const))(
    "finds %s: %s, and nothing else",
    async (code, _, index) => {
      const { files, forScan } = planted[index]!;
      const within = Object.fromEntries(Object.entries(files).map(([name, text]) => [`${index}/${name}`, text]));
      folder.write(within);
      const main = "countersign.yaml" in files ? "countersign.yaml" : "policy.js";
      const findings = await folder.lint(`${index}/${main}`, { forScan: forScan === true });
      if (forScan === true) expect(await folder.lint(`${index}/${main}`)).toEqual([]);
      expect(findings.map((one) => `${one.code} ${one.file}:${one.line}:${one.column}`)).toEqual([
        `${code} ${markedPlace(within)}`,
      ]);
      expect(findings[0]).toMatchObject({ message: expect.stringMatching(/\S/), remedy: expect.stringMatching(/\S/) });
    },
  );

  it.each([
    ["a positive errno", "return `-EPERM`"],
    ["a denial with a sign", "return the verdict without the `-`"],
  ])("has the remedy that is right for %s", async (title, remedy) => {
    const { files } = FOUND_BY_LINT.find((one) => one.title === title)!;
    folder.write({ "remedy/policy.js": files["policy.js"]! });
    expect(await folder.lint("remedy/policy.js")).toEqual([expect.objectContaining({ remedy })]);
  });

  it("has at least forty planted mistakes, and one for each of its codes", () => {
    expect(planted.length).toBeGreaterThanOrEqual(40);
    const codes = new Set(FOUND_BY_LINT.map(({ code }) => code));
    expect(LINT_RULES.map(({ code }) => code).filter((code) => !codes.has(code))).toEqual([]);
  });
});
