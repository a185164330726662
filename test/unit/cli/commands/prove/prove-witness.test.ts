import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DIFFERENCE_WORDS } from "../../../../../src/cli/output/difference-words.js";
import { runCommand } from "../../../../support/command-line.js";

const POLICY = `import { deny, map_lookup, verify_program } from "countersign";
export function bpf_prog_load(prog, current) {
  if (prog.kernel_signature !== null) return deny("signed for the kernel");
  if (map_lookup("limits", prog.digest) === true) return deny("blocked");
  if (!prog.effects.reads_kernel_memory) return 0;
  return current.uid === 7 && verify_program(prog, "platform") === 0 ? 0 : deny("reads kernel memory", 13);
}
`;
const CONFIG = `version: 1
keyrings: { platform: { trust: [ca.pem] } }
maps: { limits: { file: limits.json } }
attachments: [{ policy: policy.js}]
`;
const PROPERTIES = `export const no_reads = (prog, _current, decision) =>
  !prog.effects.reads_kernel_memory || decision.verdict !== 0;
export const holds = (prog, _current, decision) => decision.verdict <= 0;
`;

describe("countersign prove witness", () => {
  let folder: string;
  let out: string;
  const prove = (...words: readonly string[]) =>
    runCommand("prove", "witness", join(folder, "countersign.yaml"), "--out", out, ...words);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    out = join(folder, "wit ness");
    writeFileSync(join(folder, "policy.js"), POLICY);
    writeFileSync(join(folder, "countersign.yaml"), CONFIG);
    writeFileSync(join(folder, "properties.js"), PROPERTIES);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What the command of a README decides. */
  const checked = async () => {
    const [, words] = /^ {4}countersign (.*)$/m.exec(readFileSync(join(out, "README.md"), "utf8"))!;
    const parts = words!.match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
    const { code, out: json } = await runCommand(...parts, "--json");
    return { code, decision: JSON.parse(json).decisions[0] };
  };

  it("makes each row of a table real, so that `check` decides the same", {
    tags: ["deep"],
    timeout: 60_000,
  }, async () => {
    const { configuration } = JSON.parse(
      (await runCommand("prove", "table", join(folder, "countersign.yaml"), "--json")).out,
    );
    const rows = configuration[0].rows as readonly {
      verdict: string;
      conditions: readonly string[];
      attachment: string;
    }[];
    expect(rows.length).toBeGreaterThan(3);
    expect(JSON.stringify(rows)).not.toContain("example");
    const codes: number[] = [];
    for (const [index, { verdict, conditions, attachment }] of rows.entries()) {
      const { code, out: text } = await prove("--row", String(index + 1));
      codes.push(code);
      if (conditions.includes("prog.kernel_signature is not null")) {
        expect(text).toMatch(/not made real: prog\.kernel_signature is not null$/m);
        expect(readdirSync(out)).toEqual([]);
      } else {
        expect(text).toMatch(/^ {4}as the prover says$/m);
        const its = await checked();
        expect(its.code).toBe(verdict === "0" ? 0 : 1);
        expect(its.decision.denied_by?.attachment ?? null).toBe(attachment);
      }
      rmSync(out, { recursive: true, force: true });
    }
    expect(new Set(codes)).toEqual(new Set([0, 2]));
  });

  it("makes a counterexample to a property real, and the difference to another configuration", {
    tags: ["deep"],
  }, async () => {
    const words = ["--properties", join(folder, "properties.js")];
    const { code, out: text } = await prove("--property", "no_reads", ...words, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(text)).toMatchObject({
      about: "no_reads at bpf_prog_load: refuted",
      ...{ hook: "bpf_prog_load", file: join(out, "witness.o"), lacks: [] },
      checked: [{ found: { enforced_verdict: "0" }, expected: { enforced_verdict: "0" }, isSame: true }],
    });
    rmSync(out, { recursive: true });
    writeFileSync(join(folder, "old.js"), POLICY.replace("=== 7", "=== 8"));
    writeFileSync(join(folder, "old.yaml"), CONFIG.replace("policy.js", "old.js, name: policy"));
    const compared = JSON.parse((await prove("--compare", join(folder, "old.yaml"), "--json")).out);
    expect(compared.checked).toMatchObject([{ isSame: true }, { isSame: true }]);
    const [its, old] = compared.checked;
    expect(its.found.enforced_verdict).not.toBe(old.found.enforced_verdict);
    expect(old.command).toContain("old.yaml");
  });

  it("makes the kind of difference real that is chosen, and names the others", { tags: ["deep"] }, async () => {
    writeFileSync(join(folder, "old.js"), POLICY.replace("=== 7", "=== 8").replace(", 13)", ", 12)"));
    writeFileSync(join(folder, "old.yaml"), CONFIG.replace("policy.js", "old.js, name: policy"));
    const kinds = { allowed: ["0", "-ENOMEM"], denied: ["-EACCES", "0"], errno: ["-EACCES", "-ENOMEM"] };
    for (const [kind, verdicts] of Object.entries(kinds)) {
      const { code, out: json } = await prove("--compare", join(folder, "old.yaml"), "--kind", kind, "--json");
      const { about, checked } = JSON.parse(json);
      const others = Object.keys(kinds).filter((one) => one !== kind);
      const words = DIFFERENCE_WORDS[kind as keyof typeof kinds];
      expect([code, about]).toEqual([0, `bpf_prog_load: differs: ${words} (also ${others.join(", ")})`]);
      expect(checked.map((one: { found: { enforced_verdict: string } }) => one.found.enforced_verdict)).toEqual(
        verdicts,
      );
      rmSync(out, { recursive: true });
    }
    writeFileSync(join(folder, "old.js"), POLICY.replace("=== 7", "=== 8"));
    const none = await prove("--compare", join(folder, "old.yaml"), "--kind", "errno");
    const title = "bpf_prog_load: differs (also allowed, denied)";
    expect([none.code, none.out]).toEqual([2, `${title}\n  there is no example to make real\n`]);
  });

  it("rejects a property that misspells a key on a path after the counterexample", async () => {
    const late =
      "export const late = (_prog, _current, { verdict, answers }) => verdict < 0 && answers[0].verdit > 0;\n";
    writeFileSync(join(folder, "properties.js"), late);
    const { code, err } = await prove("--property", "late", "--properties", join(folder, "properties.js"));
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining("reads `verdit`, which Answer does not"),
    });
  });

  it("exits with 2 if there is no example", { tags: ["deep"] }, async () => {
    const { code, out: text } = await prove("--property", "holds", "--properties", join(folder, "properties.js"));
    expect([code, text]).toEqual([2, "holds at bpf_prog_load: proved\n  there is no example to make real\n"]);
  });

  it.each([
    [[], /exactly one of --row, --property and --compare is needed/],
    [["--row", "1", "--property", "never_faults"], /exactly one of --row, --property and --compare is needed/],
    [["--row", "1", "--kind", "denied"], /--kind is for differences, and --compare is not given/],
    [
      ["--compare", "old.yaml", "--kind", "more"],
      /`more` is invalid. Allowed choices are allowed, denied, errno, reason/,
    ],
    [["--row", "500"], /there is no row 500 at bpf_prog_load.*`prove table`: 1 to \d+/],
    [["--property", "never_fault"], /there is no property `never_fault`.*never_faults/],
    [["--row", "1", "--hook", "bpf_prog_loads"], /there is no hook `bpf_prog_loads`/],
  ])("rejects %j", async (words, message) => {
    const { code, err } = await prove(...words);
    expect(code).toBe(2);
    expect(err.replaceAll("\n", " ")).toMatch(message);
  });

  it.each([
    ["a folder with files in it", "", /: is not empty \[USAGE\]/],
    ["a file", "policy.js", /policy\.js: is not a folder \[USAGE\]/],
    ["a folder in a file", "policy.js/x", /policy\.js\/x: cannot be used: ENOTDIR \[FILE_UNREADABLE\]/],
  ])("rejects %s, and explores nothing", async (_, name, message) => {
    out = join(folder, name);
    const { code, err } = await prove("--row", "500");
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });

  it("takes no path that is empty for a new folder", async () => {
    out = "";
    expect(await prove("--row", "1")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^countersign: --out: is /),
    });
  });
});
