import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const project = fileURLToPath(new URL("../../..", import.meta.url));
const COPIED = [
  "bin",
  "docs",
  "policies",
  "schema",
  "scripts",
  "src",
  "types",
  "package.json",
  "package-lock.json",
  "README.md",
];

/** A row of a table of facts, and the code that computes the fact. */
const ADDED = [
  [
    "src/hooks/subject-fields.ts",
    "  blob: {\n",
    '  blob: {\n    length: { type: COUNT, doc: "Number of bytes.", known: OUTSIDE_OF_KERNEL },\n',
  ],
  ["src/hooks/subject-fields.ts", "import { BYTES,", "import { BYTES, COUNT,"],
  [
    "src/engine/files/file-questions.ts",
    "return { name, digest, data, signature };",
    "return { length: data.length, name, digest, data, signature };",
  ],
] as const;
const POLICY = `import { deny } from "countersign";
export const blob_verify = (blob) => (blob.length > 3 ? deny("too long") : 0);
`;

describe("a fact that is added by its row and the code that computes it", { tags: ["deep"] }, () => {
  const root = mkdtempSync(join(tmpdir(), "countersign-fact-"));
  const at = (path: string) => join(root, path);
  const node = (...words: readonly string[]) => execFileSync(process.execPath, words, { cwd: root, encoding: "utf8" });
  const countersign = (...words: readonly string[]) =>
    spawnSync(process.execPath, [at("bin/countersign.js"), ...words], { cwd: at("site"), encoding: "utf8" });

  beforeAll(() => {
    for (const name of COPIED) cpSync(join(project, name), at(name), { recursive: true });
    symlinkSync(join(project, "node_modules"), at("node_modules"));
    for (const [file, before, after] of ADDED) {
      const text = readFileSync(at(file), "utf8");
      expect(text.split(before)).toHaveLength(2);
      writeFileSync(at(file), text.replace(before, after));
    }
    for (const script of ["declarations", "facts", "reference-tables"]) node(`scripts/${script}.mjs`);
    node("scripts/build.mjs", "--quiet");
    mkdirSync(at("site"));
    writeFileSync(at("site/policy.js"), POLICY);
    writeFileSync(at("site/short"), "abc");
    writeFileSync(at("site/long"), "abcd");
    writeFileSync(at("site/countersign.yaml"), "version: 1\nattachments: [{ policy: policy.js }]\n");
  });
  afterAll(() => rmSync(root, { recursive: true }));

  it("is in the declarations and in the documents", () => {
    const declared = readFileSync(at("types/countersign.d.ts"), "utf8");
    expect(declared).toMatch(
      /export interface Blob \{\n {2}\/\*\* Number of bytes\. \*\/\n {2}readonly length: number;/,
    );
    expect(readFileSync(at("docs/policies.md"), "utf8")).toContain(
      "| `length` | number | Number of bytes. | yes | – |",
    );
  });

  it("is decided by, and any other is an error of lint", () => {
    const check = (file: string) => countersign("check", "--hook", "blob_verify", file).status;
    expect([check("short"), check("long")]).toEqual([0, 1]);
    expect(countersign("lint").status).toBe(0);
    writeFileSync(at("site/other.js"), POLICY.replace("blob.length", "blob.lenght"));
    expect(countersign("lint", "other.js").stdout).toContain("`lenght`");
  });

  it("can be described, is proved about, and is in the record", () => {
    const described = (length: number) =>
      spawnSync(process.execPath, [at("bin/countersign.js"), "check", "--request", "-"], {
        ...{ cwd: at("site"), encoding: "utf8" },
        input: `{"blob":{"length":${length},"data":"abc"}}\n`,
      }).status;
    expect([described(3), described(4)]).toEqual([0, 1]);
    expect(countersign("prove", "table").stdout).toContain("blob.length");
  });
});
