import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPTS = join(import.meta.dirname, "../../scripts");
const terms = readFileSync(join(SCRIPTS, "retired-names.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
const code = "REFUSED_BY_POLICY";

describe("a retired term of the user interface", () => {
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
    ["a code in source text", "src/a.ts", `\nconst code = "${code}";`, `src/a.ts:2: \`${code}\` is retired\n`],
    ["a code in a document", "docs/a.md", `A \`${code}\`.`, `docs/a.md:1: \`${code}\` is retired\n`],
    ["a key with its mapping", "docs/a.md", "Set `limits.wall`.", "docs/a.md:1: `limits.wall` is retired\n"],
    ["a term of a manual page", "man/a.1", `.B ${code}`, `man/a.1:1: \`${code}\` is retired\n`],
  ])("is found as %s", (_, path, text, said) => {
    expect(check(path, text)).toEqual([1, said]);
  });

  it.each([
    ["as a part of another one", "src/a.ts", `const MY_${code}S = 1;`],
    ["with another character in the place of a dot", "src/a.ts", "limits_wall"],
    ["in the changelog", "CHANGELOG.md", `${code} has another name.`],
    ["in a test", "test/a.test.ts", `expect(code).not.toBe("${code}");`],
  ])("is not found %s", (_, path, text) => {
    expect(check(path, text)).toEqual([0, ""]);
  });

  it("is listed once, in order", () => {
    expect(terms).toContain(code);
    expect(terms).toEqual([...new Set(terms)].sort((one, other) => (one < other ? -1 : 1)));
  });
});
