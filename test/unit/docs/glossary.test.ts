import { readdirSync, readFileSync } from "node:fs";
import * as acorn from "acorn";
import { full } from "acorn-walk";
import { transformSync } from "esbuild";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../support/markdown.js";

const root = new URL("../../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");
const filesIn = (folder: string, ending: RegExp): string[] =>
  readdirSync(new URL(`${folder}/`, root), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .filter((file) => ending.test(file));

/** Each term of the project with the words that must not be used in its place. */
const TERMS: Readonly<Record<string, readonly string[]>> = JSON.parse(read("scripts/terms.json"));
const ROWS = rowsOf(read("docs/glossary.md"));

describe("the glossary", () => {
  it("has each term of the table once, in order, and no other", () => {
    expect(ROWS.map(([term]) => term)).toEqual(Object.keys(TERMS));
    expect(Object.keys(TERMS)).toEqual(Object.keys(TERMS).toSorted());
  });

  it.each(ROWS.map(([term, meaning, more]) => [term, meaning, more] as const))(
    "explains %s in one sentence",
    (...row) => {
      const [, meaning, more] = row;
      expect(meaning).toMatch(/^[A-Z][^.!?]*\.$/);
      expect(meaning?.length).toBeLessThan(160);
      expect(more).toMatch(/^\[[^\]]+\]\([\w/.#-]+\)$/);
    },
  );
});

const OTHER_WORDS = [...new Set(Object.values(TERMS).flat())];
const OTHER_WORD = new RegExp(`\\b(?:${OTHER_WORDS.join("|")})\\b`, "i");

/** All documents but the changelog, which must show previous words. */
function documents(): { file: string; text: string }[] {
  const files = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...filesIn("docs", /\.md$/)];
  return files.map((file) => ({ file, text: read(file) }));
}

/** The texts of a module's strings and templates, without the names of imported modules. */
function textsOf(file: string): string[] {
  const { code } = transformSync(read(file), { loader: "ts", target: "esnext" });
  const texts: string[] = [];
  const sources = new Set<unknown>();
  const tree = acorn.parse(code, { ecmaVersion: "latest", sourceType: "module" });
  full(tree, (node) => {
    if ("source" in node) sources.add(node.source);
  });
  full(tree, (node) => {
    if (node.type === "Literal" && !sources.has(node)) texts.push(String((node as acorn.Literal).value));
    if (node.type === "TemplateElement") texts.push((node as acorn.TemplateElement).value.raw);
  });
  return texts;
}

describe("words that have a term", () => {
  it("are not replaced by others in documents", () => {
    const found = documents().flatMap(({ file, text }) =>
      text.split("\n").flatMap((line, index) => (OTHER_WORD.test(line) ? [`${file}:${index + 1}: ${line}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it("are not replaced by others in what the code and the policies say", { tags: ["deep"] }, () => {
    const files = [...filesIn("src", /\.ts$/), ...filesIn("policies", /(?<!\.test)\.[jt]s$/)];
    const own = files.filter((file) => !/\.gen\.ts$|\.d\.ts$/.test(file));
    expect(own.length).toBeGreaterThan(300);
    const found = own.flatMap((file) =>
      textsOf(file).flatMap((text) => (OTHER_WORD.test(text) ? [`${file}: ${text}`] : [])),
    );
    expect(found).toEqual([]);
  });

  it("are not replaced by others in the declarations and the schema", () => {
    for (const file of ["types/countersign.d.ts", "schema/config.schema.json"])
      expect(read(file)).not.toMatch(OTHER_WORD);
  });
});
