import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BACKENDS, HOOK_NAMES, HOOKS, type HookName } from "../../../src/hooks/catalogue.js";
import { runCommand } from "../../support/command-line.js";
import { rowsOf } from "../../support/markdown.js";
import { Workplace } from "../../support/workplace.js";

const root = new URL("../../../", import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), "utf8");
const served = (name: HookName) => BACKENDS.map((backend) => (HOOKS[name].served[backend] ? "yes" : "no"));

/** The cells of each row of the table below a heading. */
function table(heading: string, page = read("docs/policies.md")): string[][] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(heading)) ?? "";
  return rowsOf(section);
}

describe("docs/policies.md", () => {
  it("lists every hook with its subject, when it is asked and by whom, as the catalogue has it", () => {
    const rows = HOOK_NAMES.map((name) => [`\`${name}\``, HOOKS[name].subject, HOOKS[name].when, ...served(name)]);
    expect(table("Hooks")).toEqual(rows);
  });

  it("and the README say of each hook where it is enforced, as the catalogue has it", () => {
    const rows = HOOK_NAMES.map((name) => [`\`${name}\``, HOOKS[name].when, ...served(name)]);
    expect(table("What is enforced where", read("README.md"))).toEqual(rows);
  });

  it("has an example for hook bpf whose test reaches every branch and notices every change", async () => {
    const section = read("docs/policies.md")
      .split(/^#+ /m)
      .find((part) => part.includes("export function bpf("))!;
    const [policy, cases] = [/```js\n(.*?)```/s, /```yaml\n(.*?)```/s].map((block) => block.exec(section)![1]!);
    const place = new Workplace("  - policy: policies/p.js");
    place.write("policies/p.js", policy!);
    place.write("policies/p.test.yaml", cases!);
    const test = (...words: string[]) => runCommand("test", "--no-cache", "--config", place.config, ...words);
    expect(await test("--min-coverage", "100")).toMatchObject({ code: 0 });
    expect((await test("--mutate")).out).toMatch(/^(\d+) changed policies: a test notices \1$/m);
  });

  it("lists every policy that ships, each with its tests beside it", () => {
    const files = readdirSync(new URL("policies/", root));
    const shipped = files.filter((file) => /^[\w-]+\.[jt]s$/.test(file));
    const linked = table("The policies that ship").map(([link]) => /\.\.\/policies\/([^)]+)\)/.exec(link ?? "")?.[1]);
    expect(linked.sort()).toEqual(shipped.sort());
    for (const file of shipped)
      for (const ending of [".test.ts", ".test.yaml"]) expect(files).toContain(file.replace(/\.[jt]s$/, ending));
  });
});
