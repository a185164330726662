import { describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/cli/commands.js";
import { runCommand } from "../../support/command-line.js";

describe("the command line", () => {
  it.each([
    [["check"], "no file is named [USAGE]; name files, or requests with --request"],
    [["check", "--frob", "x"], "unknown option `--frob` [USAGE]; see `countersign check --help`"],
    [
      ["check", "--label", "tier", "x"],
      "option `--label <key=value>` argument `tier` is invalid. Write it as key=value [USAGE]; see `countersign check --help`",
    ],
    [["sign", "x"], "no signer is given [USAGE]; give --key and --cert, or --pkcs12"],
    [["keyring", "frob"], "unknown command `frob` [USAGE]; see `countersign keyring --help`"],
    [["chekc"], "unknown command `chekc` (Did you mean check?) [USAGE]; see `countersign --help`"],
    [["constructor"], "unknown command `constructor` [USAGE]; see `countersign --help`"],
  ])("answers %j with one line and exit code 2", async (words, message) => {
    expect(await runCommand(...words)).toEqual({ code: 2, out: "", err: `countersign: ${message}\n` });
  });

  it.each([
    [["check", "--json"], "USAGE"],
    [["check", "--json", "--frob", "x"], "USAGE"],
    [["check", "--json", "--config", "missing.yaml", "x"], "FILE_UNREADABLE"],
    [["inspect", "--json", "--diff", "x"], "USAGE"],
    [["inspect", "--json", "--btf", "missing", "--details", "x"], "FILE_UNREADABLE"],
    [["sign", "--json", "x"], "USAGE"],
    [["verify", "--json", "--signature", "x", "--trust", "missing", "x"], "FILE_UNREADABLE"],
    [["keyring", "list", "--json", "--config", "missing.yaml"], "FILE_UNREADABLE"],
    [["keyring", "check", "--json", "--config", "missing.yaml"], "FILE_UNREADABLE"],
    [["test", "--json", "--config", "missing.yaml"], "FILE_UNREADABLE"],
    [["top", "--json", "--once", "--config", "missing.yaml"], "FILE_UNREADABLE"],
    [["init", "--json", "package.json"], "USAGE"],
    [["lint", "--format", "json", "--frob"], "USAGE"],
    [["prove", "dead", "--format=json", "missing.yaml"], "FILE_UNREADABLE"],
    [["prove", "compare", "--format", "json", "missing.yaml"], "USAGE"],
  ])("answers %j with the error as an object too", async (words, code) => {
    const answer = await runCommand(...words);
    expect(answer.code).toBe(2);
    const { error } = JSON.parse(answer.out) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code });
    expect(Object.keys(error)).toEqual(["code", "message", "place", "remedy"]);
    expect(answer.err).toMatch(/^countersign: [^\n]+\n$/);
    expect(answer.err).toContain(`${error.message} [${code}]`);
  });

  it("leaves stdout to the command that it runs, and takes none of that one's words for its own", {
    tags: ["deep"],
  }, async () => {
    const { code, out, err } = await runCommand("run", "--json", "--config", "missing.yaml", "--", "true");
    expect([code, out]).toEqual([2, ""]);
    expect(JSON.parse(err.split("\n")[1] ?? "")).toMatchObject({ error: { code: "FILE_UNREADABLE" } });
    const other = await runCommand("run", "--config", "missing.yaml", "--", "true", "--json");
    expect(other.err).toMatch(/^countersign: [^\n]+\n$/);
  });

  it.each(Object.keys(COMMANDS))("shows examples and no empty defaults in the help of %s", async (name) => {
    const command = (await COMMANDS[name]!.load()).command();
    for (const words of [[], ...command.commands.map((one) => [one.name()])]) {
      const { out } = await runCommand(name, ...words, "--help");
      expect(out, words.join(" ")).toMatch(/\nExamples?:\n {2}countersign /);
      expect(out, words.join(" ")).not.toMatch(/\(default:\s+(?:\[\]|"")\)/);
    }
  });

  it.each(Object.keys(COMMANDS))("has no line of more than 120 characters in the help of %s", async (name) => {
    const { out } = await runCommand(name, "--help");
    const [, commands = ""] = /^Commands:\n([\s\S]*?)\n\n/m.exec(out) ?? [];
    const inner = Array.from(commands.matchAll(/^ {2}([a-z-]+)/gm), ([, word = ""]) => word).filter(
      (word) => word !== "help",
    );
    const texts = [out];
    for (const word of inner) texts.push((await runCommand(name, word, "--help")).out);
    const lines = texts.flatMap((text) => text.split("\n"));
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  it.each(Object.keys(COMMANDS))("names the help of %s, or of its own command, for a wrong option", async (name) => {
    const command = (await COMMANDS[name]!.load()).command();
    const all = command.commands.length === 0 ? [[]] : command.commands.map((one) => [one.name()]);
    for (const words of all) {
      const { code, err } = await runCommand(name, ...words, "--frob");
      expect([code, err]).toEqual([2, expect.stringMatching(/^countersign: [^\n]+\[USAGE\]; [^\n]+\n$/)]);
      expect(err).toContain(`; see \`countersign ${[name, ...words].join(" ")} --help\``);
    }
  });

  it("shows the same help of a command in both ways", async () => {
    const asked = await runCommand("check", "--help");
    expect(asked).toMatchObject({ code: 0, err: "" });
    expect(asked.out).toMatch(/^Usage: countersign check \[options\] \[file\.\.\.\].*Examples:/s);
    expect(await runCommand("help", "check")).toEqual(asked);
  });

  it("shows its commands where none is named, as an error", async () => {
    const { code, out, err } = await runCommand();
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^Usage: countersign.*check {2,}decides about files offline/s);
  });
});
