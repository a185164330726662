import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Coverage, isAtLeast } from "../../../../src/workbench/coverage/coverage.js";
import { lcov } from "../../../../src/workbench/coverage/lcov.js";
import { runCommand } from "../../../support/command-line.js";
import { Workplace } from "../../../support/workplace.js";

const place = new Workplace("  - policy: policies/p.ts");
place.write("policies/lib.ts", "export const isRoot = (uid: number): boolean => uid === 0;\n");
place.write(
  "policies/p.ts",
  `import { isRoot } from "./lib.ts";
export function bpf_prog_load(_: unknown, current: { uid: number }): number {
  if (isRoot(current.uid)) return 0;
  if (current.uid === 5) {
    return -2;
  }
  return -1;
}
`,
);

const test = (cases: string, ...words: readonly string[]) => {
  place.write("policies/p.test.yaml", cases);
  return runCommand("test", "--no-cache", "--config", place.config, ...words);
};
const one = (uid: number, expect: string) => `- { program: { type: xdp }, uid: ${uid}, expect: ${expect} }\n`;
const ONE = one(0, "allow");
const ALL = ONE + one(5, "-ENOENT") + one(6, "-EPERM");

describe("coverage", () => {
  it("shows lines and branches that no case reaches, in all files of a policy", async () => {
    const { out, code } = await test(ONE, "--coverage");
    expect(out).toMatch(/lib\.ts +100% \(1\/1\) +100% \(0\/0\) *\n/);
    expect(out).toMatch(/p\.ts +25% \(1\/4\) +25% \(1\/4\) +4, 5, 7, 3:7 condition is false\n/);
    expect(code).toBe(0);
  });

  it("is as high as it has to be, or the command exits with 1", { tags: ["deep"] }, async () => {
    expect((await test(ALL, "--min-coverage", "100")).code).toBe(0);
    expect((await test(ONE, "--min-coverage", "25")).code).toBe(0);
    expect((await test(ONE, "--min-coverage", "26")).code).toBe(1);
    expect((await test(ONE, "--min-coverage", "101")).code).toBe(2);
  });

  it("is written as a tracefile of lcov", async () => {
    const file = place.at("coverage.info");
    await test(ONE + one(5, "-ENOENT"), "--lcov", file);
    const text = readFileSync(file, "utf8").replace(/^SF:.*\//gm, "SF:");
    expect(text).toBe(`TN:
SF:lib.ts
BRF:0
BRH:0
DA:1,2
LF:1
LH:1
end_of_record
TN:
SF:p.ts
BRDA:3,0,0,1
BRDA:3,0,1,1
BRDA:4,1,0,1
BRDA:4,1,1,0
BRF:4
BRH:3
DA:3,2
DA:4,1
DA:5,1
DA:7,0
LF:4
LH:3
end_of_record
`);
  });
});

describe("a summary", () => {
  const point = { file: "p.js", line: 1, column: 1, branch: null };

  it("is that of the statement that was reached most often, for each line", () => {
    const coverage = new Coverage("countersign.yaml");
    coverage.add([point, { ...point, column: 9 }], new Set([1]));
    coverage.add([point, { ...point, column: 9 }], new Set([1]));
    expect(coverage.summary()).toMatchObject([{ file: "p.js", lines: { found: 1, reached: 1 }, missed: [] }]);
    expect(lcov(coverage)).toContain("DA:1,2\n");
  });

  it("has all of no branches, and all of no files", () => {
    expect(isAtLeast(100, [])).toBe(true);
    const none = { found: 0, reached: 0 };
    expect(isAtLeast(100, [{ file: "", lines: none, branches: none, missed: [] }])).toBe(true);
    expect(isAtLeast(100, [{ file: "", lines: none, branches: { found: 1000, reached: 999 }, missed: [] }])).toBe(
      false,
    );
  });
});
