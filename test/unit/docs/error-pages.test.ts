import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_CODES } from "../../../src/error.js";
import { DENIAL_CODES } from "../../../src/hooks/decision.js";
import { FAULT_CODES } from "../../../src/policy/model/outcome.js";
import { WARNING_CODES } from "../../../src/warning.js";
import { rowsOf } from "../../support/markdown.js";

const folder = new URL("../../../docs/errors/", import.meta.url);
const source = new URL("../../../src/", import.meta.url);
const text = (file: string): string => readFileSync(new URL(file, folder), "utf8");
const pages = readdirSync(folder).filter((file) => file !== "README.md");
const codes: readonly string[] = [...ERROR_CODES, ...DENIAL_CODES, ...FAULT_CODES, ...WARNING_CODES];

/** The code of `[CODE](CODE.md)`. */
const linked = (link: string): string => /^\[(\w+)\]\(\1\.md\)$/.exec(link)?.[1] ?? link;

describe("docs/errors", () => {
  it("has a page for each error, denial and fault, and no page for anything else", () => {
    expect(pages.sort()).toEqual(codes.map((code) => `${code}.md`).sort());
  });

  it("has no page for a code that is never used", () => {
    const lists = ["error.ts", "outcome.ts", "decision.ts", "warning.ts"];
    const files = readdirSync(source, { recursive: true, encoding: "utf8" });
    const code = files
      .filter((file) => file.endsWith(".ts") && !lists.includes(file.split(/[\\/]/).at(-1) ?? ""))
      .map((file) => readFileSync(new URL(file, source), "utf8"))
      .join("\n");
    expect(codes.filter((each) => !code.includes(`"${each}"`))).toEqual([]);
  });

  it.each(codes)("tells the cause, the decision, the remedy and an example of %s", (code) => {
    const [title, meaning, ...sections] = text(`${code}.md`).trim().split("\n\n");
    expect(title).toBe(`# ${code}`);
    expect(meaning).toMatch(/\.$/);
    const headings = sections.filter((section) => section.startsWith("#"));
    expect(headings).toEqual(["## Cause", "## What the decision becomes", "## Remedy", "## Example"]);
    for (const heading of headings) expect(sections[sections.indexOf(heading) + 1]).toMatch(/^[^#][\s\S]{19,}$/);
    expect(sections.slice(sections.indexOf("## Example")).join("\n\n")).toContain(code);
  });

  it.each(codes)("has more to say about %s than to report it", (code) => {
    const remedy = /## Remedy\n\n([\s\S]*?)\n\n## /.exec(text(`${code}.md`))?.[1] ?? "";
    const steps = remedy.split(/[.;](?:\s|$)/).filter((step) => /\w/.test(step) && !/\b(?:report|issue)\b/.test(step));
    expect(steps.length).toBeGreaterThan(0);
  });

  it("has an index that says of each page what the page says of itself", () => {
    const index = new Map(rowsOf(text("README.md")).map(([link = "", meaning]) => [linked(link), meaning]));
    const own = codes.map((code) => [code, text(`${code}.md`).split("\n\n")[1]?.replaceAll("\n", " ")] as const);
    expect(index).toEqual(new Map(own));
  });
});
