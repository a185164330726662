import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url);
const pages = readdirSync(new URL("docs/", root), { recursive: true, encoding: "utf8" });
const documents = ["README.md", "CONTRIBUTING.md", ...pages.map((file) => `docs/${file}`)].filter((file) =>
  file.endsWith(".md"),
);

interface Block {
  readonly document: string;
  /** The line of its fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** The file that it is to be saved as, which stands after the language. */
  readonly file: string | undefined;
  readonly lines: readonly string[];
  /** The paragraph before it, on one line. */
  readonly before: string;
}

const blocks = documents.flatMap((document): Block[] => {
  const lines = readFileSync(new URL(document, root), "utf8").split("\n");
  const found: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, language = "", file] = /^```(\w+)(?: (\S+))?$/.exec(lines[at] ?? "") ?? [];
    if (language === "") continue;
    const end = lines.indexOf("```", at + 1);
    const before = lines.slice(0, at).join("\n").trimEnd().split("\n\n").at(-1)?.replaceAll("\n", " ") ?? "";
    found.push({ document, line: at + 1, language, file, lines: lines.slice(at + 1, end), before });
    at = end;
  }
  return found;
});
const saved = blocks.filter(({ file }) => file !== undefined);

/** A relative path of a text file in a command. */
const TEXT_FILE = /(?<![\w/.$~-])(?:[\w-]+\/)*[\w-]+\.(?:[cm]?[jt]s|ya?ml|jsonl?|toml|service|conf|c)\b/g;
/** Text files that a command writes, or that the reader has: the decision log and the configuration. */
const OWN = ["decisions.jsonl", "countersign.yaml"];

/** The text files that the commands of a document use, each with the line of the block. */
const used = blocks.flatMap(({ document, line, language, lines }) => {
  if (language !== "console" && language !== "sh") return [];
  const commands = lines.filter((text) => language === "sh" || text.startsWith("$ "));
  return commands.flatMap((command) =>
    Array.from(command.matchAll(TEXT_FILE), ([file]) => ({ place: `${document}:${line}`, document, line, file })),
  );
});

describe("a code block that is to be saved", () => {
  it("is found", () => expect(saved.length).toBeGreaterThanOrEqual(18));

  it.each(saved)("is preceded by its path: $document:$line", ({ file, before }) => {
    expect(before.endsWith(`Save as \`${file}\`:`), before).toBe(true);
  });
});

describe("a text file that a command uses", () => {
  it("is found", () => expect(used.length).toBeGreaterThanOrEqual(10));

  it.each(used)("is in a code block before it, or exists: $place $file", ({ document, line, file }) => {
    const isSaved = saved.some((block) => block.document === document && block.line < line && block.file === file);
    const isWritten = blocks.some(
      (block) => block.document === document && block.line <= line && block.lines.join("\n").includes(`> ${file}`),
    );
    const isLearnt =
      file.startsWith("learnt/") &&
      blocks.some(
        (block) =>
          block.document === document && block.line <= line && block.lines.join("\n").includes("countersign learn"),
      );
    const isThere = OWN.includes(file) || existsSync(new URL(file, root));
    expect([isSaved, isWritten, isLearnt, isThere]).toContain(true);
  });
});
