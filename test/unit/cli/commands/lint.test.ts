import { generateKeyPairSync } from "node:crypto";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";
import { LintFolder } from "../../../support/lint.js";

const WRONG = 'import { deny, note } from "countersign";\nexport const bpf_prog_load = () => deny("no", -1);\n';

describe("countersign lint", () => {
  let folder: LintFolder;
  const path = (name: string) => join(folder.path, name);
  beforeEach(() => {
    folder = new LintFolder();
  });
  afterEach(() => folder.close());

  it("prints a line for each finding with place, code and remedy, and exits with 1", async () => {
    folder.write({ "policy.js": WRONG });
    const { code, out } = await runCommand("lint", path("policy.js"));
    expect(code).toBe(1);
    expect(out).toMatch(/policy\.js:1:16: warning: `note` is imported and not used \[LINT_UNUSED_IMPORT\]; remove it/);
    expect(out).toMatch(/policy\.js:2:47: error: .* \[LINT_DENY_ERRNO\]; remove the `-` \(--fix\)/);
    expect(out).toMatch(/^1 error and 1 warning in 1 file$/m);
  });

  it("exits with 0 if nothing is found", async () => {
    folder.write({ "policy.js": "export const bpf_prog_load = () => 0;\n" });
    expect(await runCommand("lint", path("policy.js"))).toMatchObject({ code: 0, err: "" });
  });

  it("exits with 2 for a file that cannot be read, and checks the others", async () => {
    folder.write({ "policy.js": WRONG });
    const { code, out, err } = await runCommand("lint", path("missing.js"), path("policy.js"), "--json");
    expect(code).toBe(2);
    expect(err).toContain("FILE_UNREADABLE");
    expect(JSON.parse(out).findings).toHaveLength(2);
  });

  it.each([
    ["policy", "attachments: [{ policy: gone.js }, { policy: fine.js }]", "gone.js", "2:15"],
    [
      "keyring's certificate",
      "attachments: [{ policy: fine.js }]\nkeyrings: { k: { trust: [gone.pem] } }",
      "gone.pem",
      "3:13",
    ],
    ["map's file", "attachments: [{ policy: fine.js }]\nmaps: { m: { file: gone.json } }", "gone.json", "3:9"],
  ])("names a %s that cannot be read once, at its place in the configuration", async (_, text, gone, place) => {
    folder.write({ "fine.js": "export const bpf_prog_load = () => 0;\n", "countersign.yaml": `version: 1\n${text}\n` });
    const { code, out } = await runCommand("lint", path("countersign.yaml"));
    expect(code).toBe(1);
    const unreadable = out.split("\n").filter((line) => line.includes("FILE_UNREADABLE"));
    expect(unreadable).toEqual([expect.stringContaining(`${gone}: cannot be read: ENOENT`)]);
    expect(unreadable[0]).toContain(`countersign.yaml:${place}: error: `);
  });

  it("names a folder of signatures that does not exist", async () => {
    folder.write({
      "fine.js": "export const bpf_prog_load = () => 0;\n",
      "countersign.yaml": "version: 1\nattachments: [{ policy: fine.js }]\nsignatures: [gone]\n",
    });
    const { out } = await runCommand("lint", path("countersign.yaml"));
    expect(out).toMatch(/countersign.yaml:3:14: error: .*gone: is not a folder of signatures \[FILE_UNREADABLE\]/m);
  });

  it("does not call a keyring unused if a policy cannot be read", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    folder.write({
      "k.pem": publicKey.export({ type: "spki", format: "pem" }) as string,
      "countersign.yaml": "version: 1\nattachments: [{ policy: gone.js }]\nkeyrings: { k: { trust: [k.pem] } }\n",
    });
    const { out } = await runCommand("lint", path("countersign.yaml"));
    expect(out).toContain("gone.js: cannot be read");
    expect(out).not.toContain("LINT_UNUSED_NAME");
  });

  it("checks the configuration that decides beside another one, once, with its policies", async () => {
    folder.write({
      "fine.js": "export const bpf_prog_load = () => 0;\n",
      "policy.js": WRONG,
      "countersign.yaml": "version: 1\nshadow: new.yaml\nattachments: [{ policy: fine.js }]\n",
      "new.yaml": "version: 1\nattachments: [{ policy: policy.js }]\n",
    });
    const { code, out } = await runCommand("lint", path("countersign.yaml"), path("new.yaml"), "--json");
    expect(code).toBe(1);
    const codes = JSON.parse(out).findings.map((finding: { code: string }) => finding.code);
    expect(codes).toEqual(["LINT_UNUSED_IMPORT", "LINT_DENY_ERRNO"]);
    const alone = await runCommand("lint", path("countersign.yaml"), "--json");
    expect(JSON.parse(alone.out).findings).toEqual(JSON.parse(out).findings);
  });

  it("exits with 2 for a file that is neither a policy nor a configuration", async () => {
    expect(await runCommand("lint", path("policy.py"))).toMatchObject({
      code: 2,
      err: expect.stringContaining("USAGE"),
    });
  });

  it("--fix corrects a file, and keeps its permissions, line ends and byte order mark", async () => {
    writeFileSync(path("policy.js"), `\uFEFF${WRONG.replaceAll("\n", "\r\n")}`);
    chmodSync(path("policy.js"), 0o640);
    const { code, out } = await runCommand("lint", "--fix", path("policy.js"));
    expect(code).toBe(0);
    expect(out).toContain("2 mistakes corrected");
    expect(readFileSync(path("policy.js"), "utf8")).toBe(
      '\uFEFFimport { deny } from "countersign";\r\nexport const bpf_prog_load = () => deny("no", 1);\r\n',
    );
    expect(statSync(path("policy.js")).mode & 0o777).toBe(0o640);
  });

  it("--fix imports `deny`, and nothing that could allow more", async () => {
    folder.write({
      "a.js": 'export const bpf_prog_load = () => deny("no");\n',
      "b.js": 'export const bpf_prog_load = (prog) => verify_program(prog, "platform");\n',
    });
    expect(await runCommand("lint", "--fix", path("a.js"))).toMatchObject({ code: 0 });
    expect(await runCommand("lint", "--fix", path("b.js"))).toMatchObject({ code: 1 });
    expect(readFileSync(path("a.js"), "utf8")).toMatch(/^import \{ deny \} from "countersign";\n/);
    expect(readFileSync(path("b.js"), "utf8")).not.toContain("import");
  });

  it("a comment with a reason suppresses a code on its line and the next, and no error at start", async () => {
    const unused = 'import { note } from "countersign";\nexport const bpf_prog_load = () => 0;\n';
    folder.write({
      "a.js": `// lint-ignore LINT_UNUSED_IMPORT: for the next version\n${unused}`,
      "b.js": `// lint-ignore LINT_UNUSED_IMPORT:\n${unused}`,
      "c.js": "// lint-ignore POLICY_UNKNOWN_HOOK: it is one\nexport const bpf_laod = () => 0;\n",
    });
    for (const [name, code] of [
      ["a.js", 0],
      ["b.js", 1],
      ["c.js", 1],
    ] as const)
      expect(await runCommand("lint", path(name))).toMatchObject({ code });
  });

  it("--format sarif writes a log of SARIF 2.1.0", async () => {
    folder.write({ "policy.js": WRONG });
    const { out } = await runCommand("lint", "--format", "sarif", path("policy.js"));
    const { version, runs } = JSON.parse(out);
    const [{ tool, results, columnKind }] = runs;
    expect([version, columnKind]).toEqual(["2.1.0", "utf16CodeUnits"]);
    const [result] = results;
    expect(tool.driver.rules[result.ruleIndex]).toMatchObject({ id: "LINT_UNUSED_IMPORT" });
    expect(result).toMatchObject({ ruleId: "LINT_UNUSED_IMPORT", level: "warning" });
    expect(result.locations[0].physicalLocation.region).toEqual({ startLine: 1, startColumn: 16 });
  });

  it("--format github escapes what would end an annotation", async () => {
    folder.write({ "a,b%.js": WRONG });
    const { out } = await runCommand("lint", "--format", "github", path("a,b%.js"));
    expect(out.split("\n")[0]).toMatch(/^::warning file=.*a%2Cb%25\.js,line=1,col=16,title=LINT_UNUSED_IMPORT::/);
  });

  it("shows control characters in names as text", async () => {
    folder.write({ "policy.js": 'export const bpf_prog_load = (prog) => prog["a\\u001b[31m"];\n' });
    const { out } = await runCommand("lint", path("policy.js"));
    expect(out).toContain("POLICY_UNKNOWN_FACT");
    expect(out).not.toContain("\u001b[31m");
  });
});

describe("countersign config check", () => {
  let folder: LintFolder;
  beforeEach(() => {
    folder = new LintFolder();
  });
  afterEach(() => folder.close());

  it("validates a configuration whose files do not exist", async () => {
    folder.write({ "countersign.yaml": "version: 1\nattachments:\n  - policy: missing.js\n" });
    const { code, out } = await runCommand("config", "check", join(folder.path, "countersign.yaml"));
    expect([code, out]).toEqual([0, expect.stringMatching(/: valid\n$/)]);
  });

  it("exits with 1 for an unknown key, and with 2 for a file that cannot be read", async () => {
    folder.write({ "countersign.yaml": "version: 1\nattachment: []\n" });
    const file = join(folder.path, "countersign.yaml");
    const { code, out } = await runCommand("config", "check", "--json", file);
    expect(code).toBe(1);
    expect(JSON.parse(out).findings).toMatchObject([
      { code: "CONFIG_INVALID", line: 2, column: 1, message: "unknown key `attachment` (did you mean `attachments`?)" },
      { code: "CONFIG_INVALID", line: 1, column: 1, message: "`attachments` is missing" },
    ]);
    expect(await runCommand("config", "check", `${file}.missing`)).toMatchObject({ code: 2 });
  });
});
