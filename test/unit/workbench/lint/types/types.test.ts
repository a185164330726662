import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diagnosticsOf } from "../../../../../src/workbench/lint/types/typescript.js";
import { lint } from "../../../../../src/workbench/lint.js";
import { LintFolder } from "../../../../support/lint.js";

describe("lint --types", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  const types = async (name: string, text: string) => {
    folder.write({ [name]: text });
    const { findings } = await lint([join(folder.path, name)], { types: true });
    return findings
      .filter(({ code }) => code.startsWith("TS"))
      .map(({ code, line, column }) => `${code} ${line}:${column}`);
  };

  it("reports the place in the policy itself, on the line of a hook too", { tags: ["deep"] }, async () => {
    const text = 'export const bpf_prog_load = (prog) => prog.insn_cnt.toFixd();\nexport const bpf_prog = () => "a";\n';
    expect(await types("policy.js", text)).toEqual(["TS2551 1:54", "TS2322 2:31"]);
  });

  it("checks hooks of TypeScript against their types", { tags: ["deep"] }, async () => {
    expect(await types("policy.ts", "export const bpf_prog_load = (prog: string): number => prog.length;\n")).toEqual([
      "TS1360 1:1",
    ]);
  });

  it("keeps types that the author has written", { tags: ["deep"] }, async () => {
    const text = "/** @param {any} prog */\nexport const bpf_prog_load = (prog) => prog.anything;\n";
    expect(await types("own.js", text)).toEqual([]);
  });

  it("knows what maps have by their schemas, in each configuration its own", { tags: ["deep"] }, async () => {
    const config = (type: string) =>
      `version: 1\nmaps: { budgets: { writable: { entries: 1, bytes: 1KiB }, values: { type: ${type} } } }\n` +
      "attachments: [{ policy: policy.js }]\n";
    const text =
      'import { map_lookup } from "countersign";\n' +
      'export const bpf_prog_load = () => (map_lookup("budgets", "edge") ?? "").length;\n';
    folder.write({ "one/countersign.yaml": config("string"), "one/policy.js": text });
    folder.write({ "two/countersign.yaml": config("integer"), "two/policy.js": text });
    const paths = ["one", "two"].map((name) => join(folder.path, name, "countersign.yaml"));
    const { findings } = await lint(paths, { types: true });
    const found = findings.filter(({ code }) => code.startsWith("TS"));
    expect(found.map(({ code, file, line }) => `${code} ${file?.split("/").slice(-2).join("/")}:${line}`)).toEqual([
      "TS2339 two/policy.js:2",
    ]);
  });

  it("reads what tsc prints", () => {
    const printed =
      "a b/c.js(3,14): error TS2339: Property 'x' does not exist.\n  Some detail.\nerror TS5023: Unknown.\n";
    expect(diagnosticsOf(printed)).toEqual([
      { file: "a b/c.js", line: 3, column: 14, code: "TS2339", message: "Property 'x' does not exist." },
    ]);
  });
});
