import { describe, expect, it } from "vitest";
import { runCommand } from "../../support/command-line.js";

describe("the command line", () => {
  it.each([
    [["check"], "missing required argument `file` [USAGE]; see `countersign check --help`"],
    [["check", "--frob", "x"], "unknown option `--frob` [USAGE]; see `countersign check --help`"],
    [
      ["check", "--label", "tier", "x"],
      "option `--label <key=value>` argument `tier` is invalid. Write it as key=value [USAGE]; see `countersign check --help`",
    ],
    [["sign", "x"], "nobody is to sign [USAGE]; give --key and --cert, or --pkcs12"],
    [["keyring", "frob"], "unknown command `frob` [USAGE]; see `countersign keyring --help`"],
    [["chekc"], "unknown command `chekc` (Did you mean check?) [USAGE]; see `countersign --help`"],
    [["constructor"], "unknown command `constructor` [USAGE]; see `countersign --help`"],
  ])("answers %j with one line and exit code 2", async (words, message) => {
    expect(await runCommand(...words)).toEqual({ code: 2, out: "", err: `countersign: ${message}\n` });
  });

  it("shows the same help of a command in both ways", async () => {
    const asked = await runCommand("check", "--help");
    expect(asked).toMatchObject({ code: 0, err: "" });
    expect(asked.out).toMatch(/^Usage: countersign check \[options\] <file\.\.\.>.*Examples:/s);
    expect(await runCommand("help", "check")).toEqual(asked);
  });

  it("shows its commands where none is named, as an error", async () => {
    const { code, out, err } = await runCommand();
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^Usage: countersign.*check {2,}decides about files offline/s);
  });
});
