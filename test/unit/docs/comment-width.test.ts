import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { own } from "../../support/workplace.js";

/** The formatter's width of lines, which it does not apply to comments. */
const WIDTH = 120;
const FOLDERS = ["src", "test", "scripts", "bench", "policies", "properties", "types"];
const COMMENT = /^\s*(\/\*\*|\*|\/\/|#) /;

/** The source files of a folder, without generated ones and those of packages. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(own(folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesOf(path);
    return /\.(ts|mjs|js|sh)$/.test(entry.name) && !/\.gen\.ts$/.test(entry.name) ? [path] : [];
  });
}

describe.each(FOLDERS)("comments in %s", (folder) => {
  it(`have lines of at most ${WIDTH} characters`, () => {
    const files = filesOf(folder);
    const wide = files.flatMap((file) =>
      readFileSync(own(file), "utf8")
        .split("\n")
        .flatMap((line, index) => (COMMENT.test(line) && line.length > WIDTH ? [`${file}:${index + 1}`] : [])),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(wide).toEqual([]);
  });
});
