import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const script = (name: string) => import(pathToFileURL(join(root, "scripts/sample", name)).href);

interface Comment {
  readonly line: number;
  readonly comment: string;
  readonly code: string;
}
interface Item {
  readonly index: number;
  readonly group: string;
}

const { commentsOf } = (await script("comments.mjs")) as { commentsOf(file: string, text: string): Comment[] };
const { draw } = (await script("draw.mjs")) as {
  draw(items: Item[], count: number, seed: string, groupOf: (item: Item) => string): Item[];
};

/** Status and output of the script. */
function run(...options: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(root, "scripts/sample-comments.mjs"), ...options], {
    cwd: root,
    encoding: "utf8",
  });
}

describe("comments of a TypeScript file", () => {
  const only = (text: string) => commentsOf("a.ts", text).map(({ line, comment, code }) => [line, comment, code]);

  it.each([
    ["a block before a declaration", "/** A.\n * B. */\nexport class C {\n  x;\n}", [1, "A. B.", "export class C {"]],
    ["lines that follow each other", "  // A\n  // B\n  let x = 1;", [1, "A B", "let x = 1;"]],
    ["a comment at the end of a line", "let x = 1; // A\n", [1, "A", "let x = 1; // A"]],
    ["an empty line before the code", "// A\n\nf(\n  a,\n);", [1, "A", "f(\n  a,"]],
    ["a comment before a comment", "// A\n/* B */\nf();", [1, "A", "f();"]],
  ])("has %s", (_, text, expected) => expect(only(text)[0]).toEqual(expected));

  it("has nothing from strings, templates and regular expressions", () => {
    expect(
      only('const a = "// A"; const b = `/* B */`; const c = /[/*]/; const d: Map<string, /x/[]> = e / 2 / 1;'),
    ).toEqual([]);
  });
});

describe("a sample", () => {
  const items = Array.from({ length: 100 }, (_, index) => ({
    index,
    group: index < 70 ? "a" : index < 95 ? "b" : "c",
  }));
  const sample = (count: number, seed: string) => draw(items, count, seed, ({ group }) => group);

  it("takes from each group in proportion", () => {
    const groups = sample(20, "00000001").map(({ group }) => group);
    expect(groups.join("")).toBe(`${"a".repeat(14)}${"b".repeat(5)}c`);
  });

  it("is the same for the same seed only", () => {
    expect(sample(20, "0badcafe")).toEqual(sample(20, "0badcafe"));
    expect(sample(20, "0badcafe")).not.toEqual(sample(20, "0badcaff"));
  });

  it("is everything if there are no more items", () => expect(sample(1000, "00000001")).toEqual(items));
});

describe("scripts/sample-comments.mjs", () => {
  it("prints comments of the source with their code, and the seed", { tags: ["deep"] }, () => {
    const { seed, sample } = JSON.parse(run("--json", "--seed", "0badcafe", "--count", "30").stdout);
    expect([seed, sample.length]).toEqual(["0badcafe", 30]);
    for (const { file, line, comment, code } of sample) {
      expect(file).toMatch(/^src\/.+\.ts$/);
      expect(line).toBeGreaterThan(0);
      expect(comment.length).toBeGreaterThan(25);
      expect(code).toMatch(/\S/);
    }
  });

  it("takes its seed from the commit without --seed", { tags: ["deep"] }, () => {
    const { stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: root, encoding: "utf8" });
    expect(run("--count", "1").stdout).toContain(`seed ${stdout.slice(0, 8)}`);
  });

  it.each([
    [["--seed", "xyz"], "the seed `xyz` is not 8 lower-case hex digits"],
    [["--count", "0"], "the count `0` is not a number from 1 to 999999"],
    [["--other"], "--other"],
  ])("rejects %j", (options, message) => {
    const { status, stderr } = run(...options);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
