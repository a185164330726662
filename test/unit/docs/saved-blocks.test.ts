import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const documents = ["README.md", ...readdirSync(new URL("docs/", root)).map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith(".md"),
);

/** Blocks of code that name a file after their language, each with the paragraph before it. */
const blocks = documents.flatMap((document) => {
  const lines = readFileSync(new URL(document, root), "utf8").split("\n");
  return lines.flatMap((line, index) => {
    const [, file] = /^```\w+ (\S+)$/.exec(line) ?? [];
    if (file === undefined) return [];
    const before = lines.slice(0, index).join("\n").trimEnd().split("\n\n").at(-1)?.replaceAll("\n", " ") ?? "";
    return [{ place: `${document}:${index + 1}`, file, before }];
  });
});

describe("a code block that is to be saved", () => {
  it("is found", () => expect(blocks.length).toBeGreaterThanOrEqual(10));

  it.each(blocks)("is preceded by its path: $place", ({ file, before }) => {
    expect(before.endsWith(`Save as \`${file}\`:`), before).toBe(true);
  });
});
