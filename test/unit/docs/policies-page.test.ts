import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HOOK_NAMES, HOOKS } from "../../../src/hooks/catalogue.js";
import { rowsOf } from "../../support/markdown.js";

const root = new URL("../../../", import.meta.url);
const page = readFileSync(new URL("docs/policies.md", root), "utf8");

/** The cells of each row of the table below a heading. */
function table(heading: string): string[][] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(heading)) ?? "";
  return rowsOf(section);
}

describe("docs/policies.md", () => {
  it("lists every hook with its subject and when it is asked, as the catalogue has it", () => {
    expect(table("Hooks")).toEqual(HOOK_NAMES.map((name) => [`\`${name}\``, HOOKS[name].subject, HOOKS[name].when]));
  });

  it("lists every policy that ships, each with its tests beside it", () => {
    const files = readdirSync(new URL("policies/", root));
    const shipped = files.filter((file) => !file.endsWith(".test.ts"));
    const linked = table("The policies that ship").map(([link]) => /\.\.\/policies\/([^)]+)\)/.exec(link ?? "")?.[1]);
    expect(linked.sort()).toEqual(shipped.sort());
    for (const file of shipped) expect(files).toContain(file.replace(/\.[jt]s$/, ".test.ts"));
  });
});
