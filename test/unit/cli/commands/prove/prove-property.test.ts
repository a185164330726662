import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SHIPPED_PROPERTIES } from "../../../../../src/prove/property/shipped-properties.js";
import { runCommand } from "../../../../support/command-line.js";

const POLICY =
  'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) =>\n  prog.insn_cnt > 100 ? deny("large") : 0;\n';
const PROPERTIES = `export const small = (prog, _current, decision) => prog.insn_cnt <= 100 || decision.verdict === -1;
export const tiny = (prog, _current, decision) => prog.insn_cnt <= 50 || decision.verdict !== 0;
export const named = (prog, _current, decision) => prog.name.normalize() < "b" || decision.verdict !== 1;
`;

describe("countersign prove property", () => {
  let folder: string;
  const prove = (file: string, ...words: readonly string[]) =>
    runCommand(
      "prove",
      "property",
      ...(file === "" ? [] : [join(folder, file)]),
      "--config",
      join(folder, "c.yaml"),
      ...words,
    );
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    writeFileSync(join(folder, "limit.js"), POLICY);
    writeFileSync(join(folder, "c.yaml"), "version: 1\nattachments: [{ policy: limit.js }]\n");
    writeFileSync(join(folder, "properties.js"), PROPERTIES);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("proves a property, says what it assumes, and exits with 0", async () => {
    const { code, out, err } = await prove("properties.js", "--property", "small");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^small at bpf_prog_load: proved$/m);
    expect(out).toMatch(/^Assumed:$/m);
    expect(out).toMatch(
      /^- the configuration is in mode enforce, with these policies by SHA-256: limit [0-9a-f]{16}$/m,
    );
  });

  it("refutes a property by a decision of the engine, and exits with 1", { tags: ["deep"] }, async () => {
    const { code, out } = await prove("properties.js");
    expect(code).toBe(1);
    expect(out).toMatch(/^tiny at bpf_prog_load: refuted$/m);
    expect(out).toMatch(/^ {4}prog\.insn_cnt = (?:5[1-9]|[6-9]\d|100)$/m);
    expect(out).toMatch(/^ {4}enforced: allowed$/m);
  });

  it("rejects a misspelt key on a path that comes after the first counterexample, before it proves anything", async () => {
    const late = `export const late = (prog, _current, decision) =>
  prog.insn_cnt > 100 && decision.verdict !== 0 ? false : decision.verdit === 0;\n`;
    writeFileSync(join(folder, "properties.js"), `${PROPERTIES}${late}`);
    const file = join(folder, "properties.js");
    expect(await prove("properties.js")).toEqual({
      code: 2,
      out: "",
      err:
        `countersign: ${file}:5:68: \`late\`: reads \`verdit\`, which Decision does not have (did you mean \`verdict\`?) ` +
        '[PROPERTY_INVALID]; correct the name, or ask for a fact of a newer version with `"verdit" in` the object first\n',
    });
    expect(await prove("properties.js", "--property", "small")).toMatchObject({ code: 0, err: "" });
  });

  it("names the line of what is not decided, and exits with 2", async () => {
    const { code, out } = await prove("properties.js", "--property", "named", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(out).properties).toMatchObject([
      { property: "named", answer: "not decided", witness: null, doubts: [{ place: join(folder, "properties.js:3") }] },
    ]);
  });

  it("--format sarif has the file of the property, and the line of what is not decided", {
    tags: ["deep"],
  }, async () => {
    const { code, out } = await prove("properties.js", "--format", "sarif");
    expect(code).toBe(1);
    const found = JSON.parse(out).runs[0].results as readonly {
      readonly ruleId: string;
      readonly message: { readonly text: string };
      readonly locations: readonly { readonly physicalLocation: Record<string, Record<string, unknown>> }[];
    }[];
    const places = found.map(({ ruleId, locations: [its] }) => [
      ruleId,
      String(its!.physicalLocation.artifactLocation!.uri).split("/").at(-1),
      its!.physicalLocation.region?.startLine ?? null,
    ]);
    expect(places).toEqual([
      ["PROVE_REFUTED", "properties.js", null],
      ["PROVE_NOT_DECIDED", "properties.js", 3],
    ]);
    expect(found[0]!.message.text).toMatch(/^`tiny` is refuted at bpf_prog_load, with prog\.insn_cnt = \d+/);
  });

  it("proves the properties that ship without a file, and lists them", { tags: ["deep"] }, async () => {
    const { out } = await prove("", "--json");
    const { properties } = JSON.parse(out);
    expect(properties.map((one: { property: string }) => one.property)).toEqual(Object.keys(SHIPPED_PROPERTIES));
    const listed = await prove("", "--list");
    for (const { doc } of Object.values(SHIPPED_PROPERTIES)) expect(listed.out).toContain(doc);
  });

  it("says that nothing was proved if there is nothing that the properties are about", async () => {
    writeFileSync(join(folder, "c.yaml"), "version: 1\nattachments: []\n");
    expect((await prove("")).out).toMatch(/^nothing to prove: no hook /);
    const { code, err } = await prove("", "--property", "nothing_unsigned_loads", "--hook", "bpf");
    expect([code, err]).toEqual([
      2,
      expect.stringContaining("`nothing_unsigned_loads` says nothing about bpf [USAGE]"),
    ]);
  });

  it.each([
    [
      ["--list"],
      /--list takes neither a file of properties nor `--format sarif` \[USAGE\]; leave `.*properties\.js` out/,
    ],
    [
      ["--list", "--format", "sarif"],
      /--list takes neither a file of properties nor `--format sarif` \[USAGE\]; leave /,
    ],
  ])("rejects %s with a file", async (words, message) => {
    expect(await prove("properties.js", ...words)).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });

  it.each([
    [["--property", "smal"], "there is no property `smal` (did you mean `small`?)", "USAGE"],
    [["--hook", "bpf_prog_lod"], "there is no hook `bpf_prog_lod`", "USAGE"],
  ])("rejects %s", async (words, message, code) => {
    const { err, ...result } = await prove("properties.js", ...words);
    expect(result.code).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain(`[${code}]`);
  });

  it.each([
    ["current.container.labels === null", "threw TypeError: cannot read property 'labels' of null"],
    ["verify(current)", "threw RangeError: no user 0"],
    ["true", "threw too early", "if (current.uid === 0) throw 'too early';"],
  ])("rejects a property that fails, with the exception and its line: %s", async (condition, failure, first = "") => {
    const verify =
      "const verify = ({ uid }) => {\n  if (uid === 0) throw new RangeError('no user ' + uid);\n  return true;\n};";
    const own = `export const bad = (_prog, current) => {\n  ${first}\n  return ${condition};\n};\n${verify}\n`;
    writeFileSync(join(folder, "bad.js"), own);
    const { code, err } = await prove("bad.js");
    const line = condition.startsWith("verify") ? 6 : first === "" ? 3 : 2;
    expect([code, err]).toEqual([
      2,
      expect.stringContaining(`bad.js:${line}: \`bad\`: it fails: ${failure} [PROPERTY_INVALID]`),
    ]);
  });

  it.each([
    ["5", "it is no function"],
    ["{ call: () => true }", "it is no function"],
    ["() => 5", "it returns no boolean"],
  ])("rejects a property that is none, and says so: %s", async (value, failure) => {
    writeFileSync(join(folder, "bad.js"), `export const bad = ${value};\n`);
    const { code, err } = await prove("bad.js");
    expect([code, err]).toEqual([2, expect.stringMatching(`\`bad\`: ${failure} \\[PROPERTY_INVALID\\]`)]);
  });

  it("says that the exploration is not complete when it reaches the most paths", async () => {
    const { code, out } = await prove("properties.js", "--property", "small", "--max-paths", "1");
    expect(code).toBe(2);
    expect(out).toContain("the exploration is not complete: there are more paths than 1");
  });
});
