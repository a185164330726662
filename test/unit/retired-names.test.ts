import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
const [, identifiers, words] = readFileSync(join(SCRIPTS, "retired-names.txt"), "utf8")
  .split(/^\[.*\]$/m)
  .map((part) => part.trim().split("\n"));
const [name, word] = [identifiers![0]!, words![0]!];

describe("a retired name", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "countersign-names-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What the script says of one file with this text, and its status. */
  const check = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
    const { status, stderr } = spawnSync(process.execPath, [join(SCRIPTS, "retired-names.mjs"), folder]);
    return [status, stderr.toString()];
  };

  it.each([
    ["an identifier in code", "test/a.ts", `\nnew ${name}();`, `test/a.ts:2: \`${name}\` is retired\n`],
    ["an identifier in a document", "docs/a.md", `A \`${name}\`.`, `docs/a.md:1: \`${name}\` is retired\n`],
    ["a private identifier", "src/a.ts", `this.#${name} = 1;`, `src/a.ts:1: \`${name}\` is retired\n`],
    ["a word in a comment", "src/a.ts", `/** An ${word}. */`, `src/a.ts:1: \`${word}\` is retired\n`],
    ["a word after code", "src/a.ts", `f(); // the ${word}`, `src/a.ts:1: \`${word}\` is retired\n`],
  ])("is found as %s", (_, path, text, said) => {
    expect(check(path, text)).toEqual([1, said]);
  });

  it.each([
    ["as a part of another one", "src/a.ts", `const my${name}s = 1;`],
    ["in the changelog", "CHANGELOG.md", `${name} has another name.`],
    ["in a comment with another word", "src/a.ts", `// my${word}`],
  ])("is not found %s", (_, path, text) => {
    expect(check(path, text)).toEqual([0, ""]);
  });

  it("is listed once, in order", () => {
    for (const list of [identifiers!, words!])
      expect(list).toEqual([...new Set(list)].sort((one, other) => (one < other ? -1 : 1)));
  });
});
