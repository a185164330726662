import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allNodes, commandTree } from "../../../../src/cli/completion/command-tree.js";
import { commandLine } from "../../../../src/cli/program.js";
import { completionEnv, completionFolder, OFFERED } from "../../../support/completion.js";

const ASK = `source ./completions
while IFS= read -r line; do
  IFS=$'\\t' read -ra COMP_WORDS <<< "$line"
  [ "\${line: -1}" = $'\\t' ] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _countersign
  (IFS=$'\\t'; printf '%s\\n' "\${COMPREPLY[*]}")
done`;
const hasBash = spawnSync("bash", ["-c", "compgen -c mapfile"]).status === 0;

describe("the completions of bash", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await completionFolder("bash", "completions");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash offers for the last word of each line. Readline makes `=` a word of its own. */
  function offers(lines: readonly string[]): string[][] {
    const input = lines.map((line) => ["countersign", ...line.replaceAll("=", " = ").split(" ")].join("\t"));
    const { stdout, stderr, status } = spawnSync("bash", ["--norc", "--noprofile", "-c", ASK], {
      cwd: folder,
      env: completionEnv(folder),
      input: `${input.join("\n")}\n`,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return stdout
      .replace(/\n$/, "")
      .split("\n")
      .map((line) => line.split("\t").filter((word) => word !== ""));
  }

  it("are those of every shell", { tags: ["deep"] }, (context) => {
    if (!hasBash) return context.skip("bash 4 is not installed");
    const answers = offers(OFFERED.map(([typed]) => typed));
    expect(OFFERED.map(([typed], index) => [typed, [...new Set(answers[index])].sort()])).toEqual(
      OFFERED.map(([typed, offered]) => [typed, [...offered].sort()]),
    );
  });

  it("are the same after `=` as after a space", (context) => {
    if (!hasBash) return context.skip("bash 4 is not installed");
    expect(offers(["check --hook=blob", "check --config=", "check --hook=bpf --as="])).toEqual([
      ["blob_verify"],
      expect.arrayContaining(["e.yaml", "d.yml", "folder"]),
      expect.arrayContaining(["f.json"]),
    ]);
  });

  it("offer an optional value, and an option in its place", (context) => {
    if (!hasBash) return context.skip("bash 4 is not installed");
    expect(offers(["check --log g", "check --log --hook blob", "check --log --ho"])).toEqual([
      ["g.jsonl"],
      ["blob_verify"],
      ["--hook"],
    ]);
  });

  it("have every option and every choice of every command", { tags: ["deep"] }, async (context) => {
    if (!hasBash) return context.skip("bash 4 is not installed");
    const nodes = allNodes(commandTree(await commandLine(null))).filter(({ options }) => options.length > 0);
    const all = offers(nodes.map(({ path }) => [...path, "-"].join(" ")));
    expect(nodes.length).toBeGreaterThan(30);
    expect(nodes.map(({ path }, index) => [path, all[index]])).toEqual(
      nodes.map(({ path, options }) => [path, options.flatMap(({ names }) => names)]),
    );
    const choices = nodes.flatMap(({ path, options }) =>
      options.flatMap(({ names, values }) =>
        values?.kind === "words" ? [{ line: [...path, names.at(-1), ""].join(" "), words: values.words }] : [],
      ),
    );
    expect(choices.length).toBeGreaterThan(5);
    expect(offers(choices.map(({ line }) => line))).toEqual(choices.map(({ words }) => words));
  });
});
