import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { pattern, stepsOf, walk } from "../../support/walkthrough.js";

describe("a walkthrough", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const document = (...lines: string[]) => {
    const path = join(folder, "document.md");
    writeFileSync(path, `${lines.join("\n")}\n`);
    return stepsOf(path);
  };

  it("writes named files, types commands in one shell and keeps the exit status", () => {
    const steps = document(
      "```txt sub/a.txt",
      "one $HOME",
      "```",
      "```console",
      "$ cd sub && cat \\",
      "    a.txt",
      "one $HOME",
      "$ false",
      "$ echo $?",
      "1",
      "```",
    );
    const ran = walk(steps, folder, process.env);
    expect(ran.map(({ printed }) => printed)).toEqual([[""], ["one $HOME"], [""], ["1"]]);
    expect(ran.map(({ shown }) => shown)).toEqual([null, ["one $HOME"], [""], ["1"]]);
  });

  it("leaves blocks alone that are neither commands nor files", () => {
    expect(document("```sh", "rm -r everything", "```", "```js", "throw 1", "```")).toEqual([]);
  });

  it("refuses a block without an end", () => {
    expect(() => document("```console", "$ true")).toThrow("document.md:1: this block has no end");
  });

  it("tells a line from another, `…` apart", () => {
    expect("ok 12 ms\n").toMatch(pattern(["ok … ms"]));
    expect("ok 12 s\n").not.toMatch(pattern(["ok … ms"]));
    expect("a\nb\nc\n").toMatch(pattern(["a", "…", "c"]));
    expect("a\nb\n").not.toMatch(pattern(["a"]));
    expect("a+\n").not.toMatch(pattern(["aa"]));
  });
});
