import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../../support/command-line.js";

const policy = (most: number) =>
  `import { deny } from "countersign";\nexport const bpf_prog_load = (prog) =>\n  prog.insn_cnt > ${most} ? deny("large") : 0;\n`;

describe("countersign prove compare", () => {
  let folder: string;
  const compare = (old: string, its: string, ...words: readonly string[]) =>
    runCommand("prove", "compare", join(folder, old, "c.yaml"), join(folder, its, "c.yaml"), ...words);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    for (const [name, text] of Object.entries({
      small: policy(100),
      same: policy(100).replace("prog.insn_cnt > 100", "100 < prog.insn_cnt"),
      large: policy(200),
      named: 'export const bpf_prog_load = (prog) => (prog.name < "b" ? -1 : 0);\n',
    })) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "limit.js"), text);
      writeFileSync(join(folder, name, "c.yaml"), "version: 1\nattachments: [{ policy: limit.js }]\n");
    }
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("says that both decide the same, with what it assumes, and exits with 0", async () => {
    const { code, out, err } = await compare("small", "same");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^bpf_prog_load: equal$/m);
    expect(out).toMatch(/^- .*small\/c\.yaml is in mode enforce, with these policies by SHA-256: limit [0-9a-f]{16}$/m);
  });

  it("shows an example of what only one allows, and that there is none of the reverse, and exits with 1", {
    tags: ["deep"],
  }, async () => {
    const { code, out } = await compare("small", "large");
    expect(code).toBe(1);
    expect(out).toMatch(/^ {2}the new configuration allows what the old one denies, for example with:$/m);
    expect(out).toMatch(/^ {4}prog\.insn_cnt = (?:10[1-9]|1[1-9]\d|200)$/m);
    expect(out).toMatch(/^ {4}old: denied -EPERM: limit: large \(.*small\/limit\.js:3\)$/m);
    expect(out).toMatch(/^ {4}new: allowed$/m);
    expect(out).toMatch(/^ {2}the new configuration denies nothing that the old one allows$/m);
  });

  it("names the line of what is not decided, and exits with 2", { tags: ["deep"] }, async () => {
    const { code, out } = await compare("small", "named", "--json", "--max-paths", "1");
    expect(code).toBe(2);
    const [{ answer, doubts }] = JSON.parse(out).comparisons;
    expect(answer).toBe("not decided");
    expect(doubts[0]).toMatchObject({ why: expect.stringContaining("exploration is not complete"), limit: "paths" });
    const named = await compare("named", "small", "--json");
    expect(named.out).toContain("named/limit.js:1");
  });

  it("--format sarif has the line of the denial that changed, and what is not decided", {
    tags: ["deep"],
  }, async () => {
    const { code, out } = await compare("small", "large", "--format", "sarif");
    expect(code).toBe(1);
    const [{ tool, results }] = JSON.parse(out).runs;
    expect(tool.driver.rules).toMatchObject([{ id: "PROVE_DIFFERS" }]);
    expect(results).toMatchObject([{ ruleId: "PROVE_DIFFERS", level: "error" }]);
    expect(results[0].message.text).toMatch(
      /what was denied is allowed \(denied -EPERM: limit: large, now allowed\), with prog\.insn_cnt = \d+$/,
    );
    const { artifactLocation, region } = results[0].locations[0].physicalLocation;
    expect([artifactLocation.uri, region.startLine]).toEqual([expect.stringMatching(/small\/limit\.js$/), 3]);
    const named = JSON.parse((await compare("small", "named", "--max-paths", "1", "--format", "sarif")).out).runs[0]
      .results;
    expect(named).toContainEqual(expect.objectContaining({ ruleId: "PROVE_NOT_DECIDED", level: "warning" }));
  });

  it("compares one hook only, and rejects names of none", async () => {
    const one = await compare("small", "large", "--hook", "blob_verify");
    expect([one.code, one.out]).toEqual([0, expect.stringMatching(/^blob_verify: equal$/m)]);
    const { code, err } = await compare("small", "large", "--hook", "bpf_prog_lod");
    expect([code, err]).toEqual([2, expect.stringContaining("there is no hook `bpf_prog_lod`")]);
  });

  it("rejects a configuration that cannot be read", async () => {
    const { code, err } = await compare("small", "none");
    expect([code, err]).toEqual([2, expect.stringContaining("[FILE_UNREADABLE]")]);
  });
});
