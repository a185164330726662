import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../support/markdown.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const read = (name: string) => readFileSync(join(root, name), "utf8");
const { scripts, version } = JSON.parse(read("package.json"));

describe.each(["CONTRIBUTING.md", "ARCHITECTURE.md"])("%s", (document) => {
  const text = read(document);

  it("names scripts that package.json has", () => {
    const named = Array.from(text.matchAll(/\bnpm run (?:-s )?([\w:]+)/g), ([, name]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(named));
  });

  it("names files that are there", () => {
    const named = Array.from(text.matchAll(/(?<![\w/.-])(?:scripts|test|src|\.ci)\/[\w./-]*\w/g), ([path]) => path);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("ARCHITECTURE.md, about src/,", () => {
  const text = read("ARCHITECTURE.md");

  it("names files that are there", () => {
    const named = Array.from(text.matchAll(/`([a-z][\w-]*(?:\/[\w.-]+)*\.ts)`/g), ([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(50);
    const roots = ["", "src", "src/gate"];
    expect(named.filter((path) => !roots.some((folder) => existsSync(join(root, folder, path))))).toEqual([]);
  });

  it("says what each folder may import, as `npm run arrows` checks it", () => {
    const literal = /const ARROWS = \{\n([\s\S]*?)^\};/m.exec(read("scripts/arrows.mjs"))?.[1] ?? "";
    const arrows = Array.from(literal.matchAll(/^ {2}(\w+): \[([^\]]*)\],$/gm), ([, folder, names = ""]) => [
      folder,
      Array.from(names.matchAll(/"[^"]+"/g), ([name]) => name).join(", "),
    ]);
    expect(arrows.length).toBeGreaterThan(5);
    const rows = rowsOf(text.split(/^## /m).find((part) => part.startsWith("Folders")) ?? "");
    const shown = rows.map(([folder, , cell = ""]) => {
      const [values = "", types = ""] = cell.split(/;? ?types of /);
      const names = (list: string) => Array.from(list.matchAll(/`(\w+)`/g), ([, name]) => name);
      const all = [...names(values), ...names(types).map((name) => `type:${name}`)];
      return [folder?.replaceAll("`", ""), all.map((name) => `"${name}"`).join(", ")];
    });
    expect(shown).toEqual(arrows);
  });

  it.each(["gate", "seal"])("has the sub-folders of %s in the order that `npm run arrows` checks", (folder) => {
    const literal = /const STACKS = \{\n([\s\S]*?)^\};/m.exec(read("scripts/arrows.mjs"))?.[1] ?? "";
    const stack = literal.split(/^ {2}(?=\w+: )/m).find((part) => part.startsWith(`${folder}: `)) ?? "";
    const checked = Array.from(stack.matchAll(/"([\w-]+)"/g), ([, name]) => name);
    expect(checked.length).toBeGreaterThan(5);
    const table = text.split(`| folder of \`src/${folder}\` |`)[1] ?? "";
    const rows = rowsOf(`| folder |${table.split("\n\n")[0]}`);
    expect(rows.map(([name]) => name?.replaceAll("`", ""))).toEqual(checked);
  });
});

describe("CHANGELOG.md", () => {
  const text = read("CHANGELOG.md");
  /** What stands under the heading of a version. */
  const part = (name: string) => text.split(/^## /m).find((each) => each.startsWith(name)) ?? "";
  const headings = Array.from(text.matchAll(/^## (.+)$/gm), ([, heading = ""]) => heading);

  it("begins with what is not released, then the version of package.json", () => {
    expect(headings[0]).toBe("Unreleased");
    expect(headings[1]?.split(" - ")[0]).toBe(version);
  });

  it("has one line of at most 120 characters for each entry that is not released", () => {
    const [, ...paragraphs] = part("Unreleased").split(/\n(?=- |### )/);
    expect(paragraphs.map((text) => text.trim()).filter((text) => !/^(?:### \w+|- .{1,118})$/.test(text))).toEqual([]);
  });

  it("has at most 60 lines of additions in 0.3.0", () => {
    const added = part("0.3.0").split("### Added\n")[1]?.split("\n### ")[0] ?? "";
    const lines = added.split("\n").filter((line) => line !== "");
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(60);
  });

  it("has each version once, with its date, the newest first", () => {
    const released = headings.slice(1).map((heading) => /^(\d+)\.(\d+)\.(\d+) - \d{4}-\d\d-\d\d$/.exec(heading));
    expect(released).not.toContain(null);
    const numbers = released.map((match) => match!.slice(1).map(Number));
    const sorted = [...numbers].sort((a, b) => b[0]! - a[0]! || b[1]! - a[1]! || b[2]! - a[2]!);
    expect(numbers).toEqual(sorted);
    expect(new Set(numbers.map(String)).size).toBe(numbers.length);
  });
});
