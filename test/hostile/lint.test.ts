import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lint } from "../../src/workbench/lint.js";
import { LintFolder } from "../support/lint.js";

/** Policies at the limits of size and nesting: rules neither fail on them nor take more than linear time. */
const POLICIES: Readonly<Record<string, string>> = {
  "ten thousand operands": hook(`return ${repeated(10_000, (n) => `prog.insn_cnt === ${n}`, " || ")} ? 0 : -1;`),
  "ten thousand rules": hook(`${repeated(10_000, (n) => `if (prog.insn_cnt === ${n}) return 0;`, "\n")} return -1;`),
  "deep blocks": hook(`${"if (1 > 0) {".repeat(300)} ${"}".repeat(300)} return 0;`),
  "deep conditions": hook(`return ${"prog.rewritten ? 0 : ".repeat(400)}0;`),
  "functions that call each other": [
    repeated(500, (n) => `const f${n} = (a) => a ? f${(n + 1) % 500}(a) : f${(n + 2) % 500}(a);`, "\n"),
    hook("return f0(prog.rewritten);"),
  ].join("\n"),
  "variables that stand for each other": `const a = () => b, b = () => a;\n${hook("return a() ? 0 : -1;")}`,
  "an empty file": "",
  "only a comment": "// nothing",
  "NUL bytes": "\0\0\0",
  "an endless template": "export const bpf_prog_load = () => `",
};

function hook(body: string): string {
  return `export function bpf_prog_load(prog) { ${body} }\n`;
}

function repeated(times: number, text: (n: number) => string, between: string): string {
  return Array.from({ length: times }, (_, n) => text(n)).join(between);
}

describe("lint of hostile policies", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  it.each(Object.keys(POLICIES))("ends with findings that have a code: %s", async (name) => {
    folder.write({ "policy.js": POLICIES[name]! });
    const { findings, unreadable } = await lint([join(folder.path, "policy.js")]);
    expect(unreadable).toEqual([]);
    for (const { code, message } of findings) {
      expect(code).toMatch(/^(?:LINT|POLICY)_[A-Z_]+$/);
      expect(message).not.toContain("\n");
    }
  });
});
