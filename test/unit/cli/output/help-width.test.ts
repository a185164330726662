import { afterEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../../src/cli/commands.js";
import { helpWidth, wrapText } from "../../../../src/cli/output/help-width.js";
import { runCommand } from "../../../support/command-line.js";

/** The help of a command, and of each command below it. */
async function helpsOf(name: string): Promise<string[]> {
  const command = (await COMMANDS[name]!.load()).command();
  const texts: string[] = [];
  for (const words of [[], ...command.commands.map((one) => [one.name()])])
    texts.push((await runCommand(name, ...words, "--help")).out);
  return texts;
}

const wordsOf = (text: string) => text.split(/\s+/);
/** A line that is indented and no row of a table, such as a command. */
const IS_COPIED = /^ {2,}(?:countersign .*|\S+(?: \S+)*)$/;

describe("help", () => {
  it.each(Object.keys(COMMANDS))("of %s fits into 80 columns, except for what is copied", async (name) => {
    for (const text of await helpsOf(name)) {
      const its = wrapText(text, 80);
      expect(its.split("\n").filter((line) => line.length > 80 && !IS_COPIED.test(line))).toEqual([]);
      expect(wordsOf(its)).toEqual(wordsOf(text));
      const copied = text.split("\n").filter((line) => /^ {2}(?:countersign|- \{|export) /.test(line));
      expect(its.split("\n")).toEqual(expect.arrayContaining(copied));
    }
  });

  it("has its paragraphs and rows of tables filled again", () => {
    const long = "word ".repeat(23).trim();
    expect(wrapText(`${long}\n${long}\nend\n`, 80)).toBe(
      `${["word ".repeat(16), "word ".repeat(16), `${"word ".repeat(14)}end`].map((line) => line.trim()).join("\n")}\n`,
    );
    const row = `  some term  ${"word ".repeat(20).trim()}`;
    expect(wrapText(`${row}\n${" ".repeat(13)}end\n  other      x\n`, 80).split("\n")).toEqual([
      `  some term  ${"word ".repeat(13).trim()}`,
      `${" ".repeat(13)}${"word ".repeat(7)}end`,
      "  other      x",
      "",
    ]);
    expect(wrapText(`short\nlines\n  ${long}\n`, 80)).toBe(`short\nlines\n  ${long}\n`);
  });

  it("is wrapped to a terminal of less than 120 columns, and to 80 at least", () => {
    const widthOf = (columns: number, isTTY = true) => helpWidth({ columns, isTTY });
    expect([40, 80, 100, 119, 120, 200].map((columns) => widthOf(columns))).toEqual([80, 80, 100, 119, null, null]);
    expect(widthOf(80, false)).toBeNull();
  });
});

describe("the command line", () => {
  const { isTTY, columns } = process.stdout;
  afterEach(() => Object.assign(process.stdout, { isTTY, columns }));

  it("fits the help to its terminal", async () => {
    const whole = (await runCommand("check", "--help")).out;
    Object.assign(process.stdout, { isTTY: true, columns: 80 });
    const { out } = await runCommand("check", "--help");
    expect(Math.max(...whole.split("\n").map((line) => line.length))).toBeGreaterThan(100);
    expect(out.split("\n").filter((line) => line.length > 80 && !IS_COPIED.test(line))).toEqual([]);
    expect(wordsOf(out)).toEqual(wordsOf(whole));
  });
});
