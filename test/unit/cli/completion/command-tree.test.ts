import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { bashCompletion } from "../../../../src/cli/completion/bash.js";
import { allNodes, commandTree } from "../../../../src/cli/completion/command-tree.js";
import { fishCompletion } from "../../../../src/cli/completion/fish.js";
import { EXTENSIONS } from "../../../../src/cli/completion/values.js";
import { zshCompletion } from "../../../../src/cli/completion/zsh.js";
import { commandLine } from "../../../../src/cli/program.js";

const PROGRAM = new Command("countersign").addCommand(
  new Command("frob")
    .description("It's [new]: frobs")
    .argument("<path...>")
    .addOption(new Option("--color <name>", "which").choices(["red", "dark blue"]))
    .option("--table <file>", "a table", "table.csv")
    .option("--fix <name[=value]>", "a setting")
    .option("--log [file]", "a log")
    .option("--times <number...>", "how often")
    .addOption(new Option("--secret", "not shown").hideHelp()),
);

describe("commandTree", () => {
  it("describes a command with its options, their values and its arguments", () => {
    const frob = commandTree(PROGRAM).commands[0];
    expect(frob).toMatchObject({ path: ["frob"], description: "It's [new]: frobs", commands: [] });
    expect(frob?.parameters).toEqual([{ name: "path", values: { kind: "files", extensions: [] }, isVariadic: true }]);
    expect(
      frob?.options.map(({ names, values, isOptional, isVariadic }) => [names, values, isOptional, isVariadic]),
    ).toEqual([
      [["--color"], { kind: "words", words: ["red", "dark blue"] }, false, false],
      [["--table"], { kind: "files", extensions: ["csv"] }, false, false],
      [["--fix"], { kind: "text" }, false, false],
      [["--log"], { kind: "files", extensions: ["jsonl"] }, true, false],
      [["--times"], { kind: "text" }, false, true],
      [["-h", "--help"], null, false, false],
    ]);
  });

  it("has `help`, which takes the name of a command", () => {
    expect(commandTree(PROGRAM).commands.at(-1)).toMatchObject({
      path: ["help"],
      parameters: [{ values: { kind: "words", words: ["frob"] } }],
    });
  });

  it.each([
    ["bash", bashCompletion],
    ["zsh", zshCompletion],
    ["fish", fishCompletion],
  ])("gives %s a new command with all that is shown of it", (_shell, make) => {
    const text = make(commandTree(PROGRAM));
    for (const word of ["frob", "color", "red", "csv", "fix"]) expect(text).toContain(word);
    expect(text).not.toContain("secret");
  });

  it("offers files for the logs of `replay` and `learn`", { tags: ["deep"] }, async () => {
    const nodes = allNodes(commandTree(await commandLine(null)));
    for (const name of ["replay", "learn"]) {
      const [log] = nodes.find(({ path }) => path.join(" ") === name)!.parameters;
      expect(log).toEqual({ name: "log", values: { kind: "files", extensions: [] }, isVariadic: true });
    }
  });

  it("finds every option in the table of extensions", async () => {
    const names = allNodes(commandTree(await commandLine(null))).flatMap(({ options }) =>
      options.filter(({ values }) => values?.kind === "files").flatMap(({ names }) => names),
    );
    expect(Object.keys(EXTENSIONS).filter((name) => !names.includes(name))).toEqual([]);
  });
});
