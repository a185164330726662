import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { rowsOf } from "../../support/markdown.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const ROWS = rowsOf(readFileSync(join(root, "test/SHORT-FORMS.md"), "utf8")).map(
  ([pattern = "", short = "", left = "", command = ""]) => ({
    pattern: pattern.replaceAll("`", ""),
    short,
    left,
    command,
  }),
);
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** How a test file chooses between its short form and its long one. */
const SWITCH = /\/share\.js"|\/nightly\.js"|\/tested-kernels\.js"|process\.env\.COUNTERSIGN_(?:NIGHTLY|COMPLETE)\b/;
const SWITCHED = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => `test/${name}`)
  .filter((name) => SWITCH.test(readFileSync(join(root, name), "utf8")));

/** A pattern of paths with `{a,b}`, `*` within a folder and `**` across folders. */
function matcher(pattern: string): RegExp {
  const text = pattern
    .replace(/[.]/g, "\\.")
    .replace(/\*+/g, (stars) => (stars.length > 1 ? ".*" : "[^/]*"))
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(",", "|")})`);
  return new RegExp(`^${text}$`);
}

describe("the table of what CI leaves out", () => {
  it("has each test file that has a short form", () => {
    expect(SWITCHED.length).toBeGreaterThan(70);
    expect(SWITCHED.filter((file) => !ROWS.some(({ pattern }) => matcher(pattern).test(file)))).toEqual([]);
  });

  it.each(ROWS)("has no other row: $pattern", ({ pattern, short, left }) => {
    expect(SWITCHED.some((file) => matcher(pattern).test(file)) || existsSync(join(root, pattern))).toBe(true);
    expect(short && left).not.toBe("");
  });

  it.each(ROWS)("names a command that is there: $pattern", ({ command }) => {
    const named = [...command.matchAll(/`(?:npm run )?([^`]+)`/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(0);
    for (const name of named) expect(name in scripts || existsSync(join(root, name)), name).toBe(true);
  });
});
