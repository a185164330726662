import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SUBJECT_FIELDS } from "../../../../../src/config/subject-fields.js";
import type { SubjectField } from "../../../../../src/known-fact.js";
import { LintFolder } from "../../../../support/lint.js";

const hook = (body: string) => `export function kernel_read_file(file) {\n${body}\n}\n`;

describe("facts that can be unknown", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  async function found(text: string, forScan = false): Promise<readonly string[]> {
    folder.write({ "policy.js": text });
    return (await folder.lint("policy.js", { forScan }))
      .filter(({ code }) => code.startsWith("LINT_UNKNOWN"))
      .map(({ code, line, message }) => {
        return `${code}:${line} ${/`\w+`/.exec(message)?.[0]}`;
      });
  }

  it.each([
    ["&&", 'return "path" in file && file.path === null ? -1 : 0;'],
    ["||", 'return !("path" in file) || file.path === null ? -1 : 0;'],
    ["a branch", 'if ("path" in file) return file.path === null ? -1 : 0;\nreturn -1;'],
    ["the other branch", 'if (!("path" in file)) return -1;\nelse return file.path === null ? -1 : 0;'],
    ["an early return", 'if (!("path" in file)) return -1;\nreturn file.path === null ? -1 : 0;'],
    [
      "an early return with more",
      'if (!("path" in file) || file.path === null) return -1;\nreturn file.path === "/x" ? 0 : -1;',
    ],
    ["?:", 'const path = "path" in file ? file.path : null;\nreturn path === null ? -1 : 0;'],
    ["a constant", 'const isKnown = "path" in file;\nreturn isKnown && file.path !== null ? 0 : -1;'],
    [
      "Object.hasOwn",
      'if (!Object.hasOwn(file, "path")) return -1;\nconst { path } = file;\nreturn path === null ? -1 : 0;',
    ],
    ["try", "try {\n  return file.path === null ? -1 : 0;\n} catch {\n  return -1;\n}"],
    [
      "a function of the policy",
      'return knows(file) && file.path === "/x" ? 0 : -1;\n}\nfunction knows(file) {\n  return "path" in file;',
    ],
    [
      "a loop",
      'let path = null;\nwhile ("path" in file && path === null) path = file.path ?? "";\nreturn path === "/x" ? 0 : -1;',
    ],
  ])("are asked with %s", async (_, body) => {
    expect(await found(hook(body))).toEqual([]);
  });

  it.each([
    ["another fact", 'return "parameters" in file && file.path === null ? -1 : 0;', 2],
    ["the opposite", 'return !("path" in file) && file.path === null ? -1 : 0;', 2],
    ["after the branch", 'let known = 0;\nif ("path" in file) known = -1;\nreturn file.path === null ? -1 : known;', 4],
    ["before", 'const { path } = file;\nif (!("path" in file)) return -1;\nreturn path === null ? -1 : 0;', 2],
  ])("are not asked with a question about %s", async (_, body, line) => {
    expect(await found(hook(body))).toEqual([`LINT_UNKNOWN_FACT:${line} \`path\``]);
  });

  it("are known at the hooks where they always are", async () => {
    expect(
      await found("export const bprm_check_security = ({ path, parameters }) => (path === parameters ? 0 : -1);\n"),
    ).toEqual([]);
  });

  it("are named for a scan, if that is asked for: each that its rows say", async () => {
    const fields: Readonly<Record<string, SubjectField>> = SUBJECT_FIELDS.program;
    const names = Object.keys(fields).filter((name) => fields[name]!.withheld !== true);
    const unknown = names.filter(
      (name) => typeof fields[name]!.known.scan === "object" && "unknown" in (fields[name]!.known.scan as object),
    );
    const text = `export const bpf_prog_load = (prog) => {\n${names.map((name) => `if (prog.${name} === undefined) return -1;`).join("\n")}\nreturn 0;\n};\n`;
    const expected = unknown.map((name) => `LINT_UNKNOWN_IN_SCAN:${names.indexOf(name) + 2} \`${name}\``);
    expect(await found(text)).toEqual([]);
    expect(await found(text, true)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(10);
  });

  it("are named of programs, and not of maps at their own hooks", async () => {
    expect(await found("export const bpf_map = (map) => (map.contents === null ? 0 : -1);\n", true)).toEqual([]);
  });
});
