import { describe, expect, it } from "vitest";
import { runCommand } from "../../../../support/command-line.js";
import { Workplace } from "../../../../support/workplace.js";

const place = new Workplace("  - policy: policies/p.js");
const LATE = 'export const bpf_prog_load = ({ type }) => (type === "xdp" ? 0 : type === "xdp" ? -1 : -2);\n';

describe("countersign prove dead", () => {
  const dead = (policy: string, ...words: readonly string[]) => {
    place.write("policies/p.js", policy);
    return runCommand("prove", "dead", place.config, ...words);
  };

  it("shows what no decision reaches, and exits with 1", async () => {
    const { code, out } = await dead(LATE);
    expect(out).toMatch(/^p +\S*policies\/p\.js:1:66 +condition is true$/m);
    expect(code).toBe(1);
    expect(JSON.parse((await dead(LATE, "--json")).out)).toMatchObject({
      attachments: [{ attachment: "p", unknown: null, places: [{ line: 1, column: 66, branch: "condition is true" }] }],
    });
  });

  it("--format sarif has the place, for code hosts", async () => {
    const { code, out } = await dead(LATE, "--format", "sarif");
    expect(code).toBe(1);
    const [{ tool, results }] = JSON.parse(out).runs;
    expect(tool.driver.name).toBe("countersign prove dead");
    expect(results).toMatchObject([
      { ruleId: "PROVE_DEAD", level: "warning", message: { text: "for p, never: condition is true" } },
    ]);
    const { artifactLocation, region } = results[0].locations[0].physicalLocation;
    expect([artifactLocation.uri, region]).toEqual([
      expect.stringMatching(/policies\/p\.js$/),
      { startLine: 1, startColumn: 66 },
    ]);
    const { err } = await dead(LATE, "--format", "sarif", "--json");
    expect(err).toContain("--json and --format sarif exclude each other");
  });

  it("shows a scope that no task is in, and a key that a map does not have, also if code is not known", {
    tags: ["deep"],
  }, async () => {
    const policy =
      'import { map_lookup } from "countersign";\nexport const bpf_prog_load = (prog) =>\n' +
      '  prog.name.normalize() > "B" && map_lookup("m", "missing") === 1 ? -1 : 0;\n';
    const scoped = new Workplace(
      '  - policy: policies/p.js\n    scope: { labels: "tier=edge", container: false }\nmaps: { m: { file: m.json } }',
    );
    scoped.write("policies/p.js", policy);
    scoped.write("m.json", "{}\n");
    const { code, out } = await runCommand("prove", "dead", scoped.config);
    expect(code).toBe(1);
    expect(out).toMatch(/^p +\S*countersign\.yaml:\d+:\d+ +asked: no task is in its scope$/m);
    expect(out).toMatch(/^p +\S*policies\/p\.js:3:50 +found: map m has no entry "missing"$/m);
    expect(out).toMatch(/^p +not known: bpf_prog_load: /m);
    const [{ results }] = JSON.parse((await runCommand("prove", "dead", scoped.config, "--format", "sarif")).out).runs;
    expect(results.map(({ message }: { message: { text: string } }) => message.text)).toEqual([
      "no task is in the scope of p",
      'the map m has no entry "missing"',
      expect.stringMatching(/^not decided: dead code of p: /),
    ]);
  });

  it("exits with 0 if there is none, and with 2 if it is not known", { tags: ["deep"] }, async () => {
    expect(await dead("export const bpf_prog_load = (prog) => (prog.rewritten ? -1 : 0);\n")).toMatchObject({
      code: 1,
    });
    const none = "export const bpf_prog_load = (prog) => (prog.gpl_compatible ? -1 : 0);\n";
    expect(await dead(none)).toMatchObject({ code: 0, out: "no dead code\n" });
    const { code, out } = await dead(
      "export const bpf_prog_load = (prog) => (prog.name.normalize() > 'B' ? -1 : 0);\n",
    );
    expect([code, out]).toEqual([2, expect.stringContaining("not known: bpf_prog_load: ")]);
    expect(await dead(none, "--attachment", "q")).toMatchObject({ code: 2, err: expect.stringContaining("[USAGE]") });
  });
});
