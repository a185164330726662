import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";

/** The formatter's width of lines. It breaks neither comments nor texts. */
const WIDTH = 120;
const COMMENT = /^\s*(\/\*\*|\*|\/\/|#) /;

/** Which lines of each folder have to keep the width: outside of `src`, texts can be tables and commands. */
const LINES: Readonly<Record<string, RegExp>> = {
  src: /^/,
  test: COMMENT,
  scripts: COMMENT,
  bench: COMMENT,
  policies: /^/,
  properties: /^/,
  types: /^/,
};

/** The source files of a folder, without generated ones and those of packages. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(own(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesOf(path);
    return /\.(ts|mjs|js|sh)$/.test(entry.name) && !/\.gen\.ts$/.test(entry.name) ? [path] : [];
  });
}

describe.each(Object.entries(LINES))("%s", (folder, lines) => {
  it(`has ${lines === COMMENT ? "comments" : "lines"} of at most ${WIDTH} characters`, () => {
    const files = filesOf(folder);
    const wide = files.flatMap((file) =>
      readFileSync(own(file), "utf8")
        .split("\n")
        .flatMap((line, index) => (lines.test(line) && line.length > WIDTH ? [`${file}:${index + 1}`] : [])),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(wide).toEqual([]);
  });
});
