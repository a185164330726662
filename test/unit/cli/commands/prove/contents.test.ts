import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../../support/command-line.js";

const POLICY = `import { deny, map_lookup } from "countersign";
export function bpf_prog_load(prog, current) {
  const rule = map_lookup("rules", current.comm);
  if (rule === undefined) return deny("no rule");
  if (rule.max === undefined) return deny("no maximum");
  if (rule.level === "low") return deny("low");
  return prog.insn_cnt > rule.max ? deny("too large") : 0;
}
`;
const RULES = '{ "": { "max": 1 }, "bpftrace": { "max": 500, "level": "high" } }';

describe("the prover with --contents", () => {
  let folder: string;
  const path = (name: string) => join(folder, name);
  const config = (name: string, map: string) =>
    writeFileSync(path(name), `version: 1\nmaps: { rules: ${map} }\nattachments: [{ policy: policy.js }]\n`);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    writeFileSync(path("policy.js"), POLICY);
    writeFileSync(path("rules.json"), RULES);
    config("countersign.yaml", "{ file: rules.json }");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const prove = (...words: readonly string[]) => runCommand("prove", ...words);
  const rowsOf = (json: string) =>
    JSON.parse(json).tables[0].rows.map(({ result, reason, conditions }: Record<string, unknown>) => [
      ...[result, reason, conditions],
    ]);

  it("takes the entries of the map's file for those that it has, and names its SHA-256", async () => {
    const { code, out } = await prove("table", "--contents", "--json", path("countersign.yaml"));
    expect([code, rowsOf(out)]).toEqual([
      0,
      expect.arrayContaining([
        ["deny", "too large", ['current.comm is ""', "prog.insn_cnt > 1"]],
        ["allow", null, ['current.comm is "bpftrace"', "prog.insn_cnt ≤ 500"]],
        ["deny", "no rule", ['current.comm is neither "" nor "bpftrace"']],
      ]),
    ]);
    expect(rowsOf(out)).toHaveLength(5);
    const digest = createHash("sha256").update(RULES).digest("hex");
    expect(JSON.parse(out).assumes.join()).toContain(`SHA-256 is ${digest.slice(0, 16)}…`);
  });

  it.each([
    ["that a policy may write to", "{ file: rules.json, writable: { entries: 100, bytes: 10KiB } }", 2],
    ["with more than 64 keys", "{ file: many.json }", 65],
  ])("leaves out a map %s", async (_, map, keys) => {
    const many = Object.fromEntries(Array.from({ length: keys }, (_, index) => [`key${index}`, { max: index }]));
    writeFileSync(path("many.json"), JSON.stringify(many));
    config("countersign.yaml", map);
    const { out } = await prove("table", "--contents", "--json", path("countersign.yaml"));
    expect(JSON.parse(out).assumes.join()).toContain("`rules` has any JSON value under any key");
  });

  it("is an error if the file breaks the schema of the map", async () => {
    config("countersign.yaml", "{ file: rules.json, values: { type: boolean } }");
    const { code, err } = await prove("table", "--contents", path("countersign.yaml"));
    expect([code, err]).toEqual([2, expect.stringContaining("MAP_INVALID")]);
  });

  it("certifies the table, and the certificate is outdated by another file", async () => {
    const certificate = path("c.json");
    await prove("table", "--contents", "--certificate", certificate, path("countersign.yaml"));
    const { maps, tables } = JSON.parse(readFileSync(certificate, "utf8"));
    expect(maps.rules.contents.entries).toEqual(JSON.parse(RULES));
    expect(tables).toHaveLength(2);
    expect((await prove("check", certificate, path("countersign.yaml"))).code).toBe(0);
    writeFileSync(path("rules.json"), RULES.replace("500", "501"));
    const { code, err, out } = await prove("check", certificate, path("countersign.yaml"));
    expect([code, err + out]).toEqual([1, expect.stringContaining("PROOF_OUTDATED")]);
  });

  it("rejects a certificate about contents that the map does not have, also if policies may write to it", async () => {
    const certificate = path("c.json");
    await prove("table", "--contents", "--certificate", certificate, path("countersign.yaml"));
    const its = JSON.parse(readFileSync(certificate, "utf8"));
    its.maps.rules.contents.entries.bpftrace.max = 501;
    writeFileSync(certificate, JSON.stringify(its));
    const { code, err, out } = await prove("check", certificate, path("countersign.yaml"));
    expect([code, err + out]).toEqual([1, expect.stringContaining("PROOF_OUTDATED")]);
  });

  it("proves properties of what the map has", async () => {
    const text = "export const small = (prog, current, decision) => prog.insn_cnt <= 500 || decision.verdict !== 0;\n";
    writeFileSync(path("properties.js"), text);
    const words = ["property", path("properties.js"), "--config", path("countersign.yaml")];
    expect((await prove(...words)).code).toBe(1);
    const { code, out } = await prove(...words, "--contents");
    expect([code, out]).toEqual([0, expect.stringContaining("proved")]);
  });

  it("compares decisions by what each of the configurations has", async () => {
    writeFileSync(path("other.json"), RULES.replace("500", "400"));
    config("other.yaml", "{ file: other.json }");
    config("same.yaml", "{ file: same.json }");
    writeFileSync(path("same.json"), RULES.replace('"level": "high"', '"level": "medium"'));
    const compare = async (...words: readonly string[]) => {
      const { code, out } = await prove("compare", "--json", ...words);
      return [code, JSON.parse(out).comparisons.map(({ answer }: { readonly answer: string }) => answer)];
    };
    expect(await compare(path("countersign.yaml"), path("other.yaml"))).toEqual([2, ["not decided"]]);
    expect(await compare("--contents", path("countersign.yaml"), path("other.yaml"))).toEqual([1, ["differs"]]);
    expect(await compare("--contents", path("countersign.yaml"), path("same.yaml"))).toEqual([0, ["equal"]]);
  });
});
