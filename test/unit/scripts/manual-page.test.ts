import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { describe, expect, it } from "vitest";

interface Release {
  readonly version: string;
  readonly date: string;
}
type ManualPage = (program: Command, release: Release) => string;

const script = join(import.meta.dirname, "../../../scripts/manual/manual-page.mjs");
const { manualPage } = (await import(pathToFileURL(script).href)) as { manualPage: ManualPage };

const RELEASE = { version: "1.2.3", date: "2026-11-28" };
const program = (...commands: readonly Command[]) =>
  commands.reduce((whole, one) => whole.addCommand(one), new Command("countersign").description("Decides"));

/** The lines of a page that are no requests of man(7), from the section COMMANDS on. */
function commandsOf(page: string): string[] {
  return (page.split(".SH COMMANDS\n")[1]?.split("\n.SH ")[0] ?? "").split("\n");
}

describe("manualPage", () => {
  const frob = new Command("frob").description("Frobs `it`").argument("<file...>", "what").option("--all [n]", "all");

  it("has a command with its usage, its arguments and its options, and those below it", () => {
    const inner = new Command("inner").description("Inner");
    const page = manualPage(program(new Command("outer").description("Outer").addCommand(inner), frob), RELEASE);
    expect(page).toContain('.TH COUNTERSIGN 1 2026-11-28 "countersign 1.2.3"');
    expect(page.match(/^\.SS .*$/gm)).toEqual([
      '.SS "countersign outer"',
      '.SS "countersign outer inner"',
      '.SS "countersign frob"',
    ]);
    expect(commandsOf(page).slice(-9)).toEqual([
      "\\fBcountersign frob\\fR \\fI[options]\\fR \\fI<file...>\\fR",
      ".PP",
      "Frobs \\fBit\\fR.",
      ".TP",
      "\\fIfile\\fR",
      "what",
      ".TP",
      "\\fB\\-\\-all\\fR \\fI[n]\\fR",
      "all",
    ]);
  });

  it("keeps the form of indented lines, and fills the others", () => {
    const text = `\n${"word ".repeat(30)}\nend\n\n  ok    first\n  weak  second\n\nExamples:\n  countersign x`;
    const lines = commandsOf(manualPage(program(new Command("x").addHelpText("after", text)), RELEASE));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const forms = lines.join("\n").match(/\.nf\n[\s\S]*?\n\.fi/g);
    expect(forms).toEqual([".nf\nok    first\nweak  second\n.fi", ".nf\ncountersign x\n.fi"]);
  });

  it("takes nothing in a text for a request or an escape", () => {
    const hostile = ["\\fIx", ".SH NAME", "'br", '.\\" no', '"quoted" - `.so x` ~^', "über … “”"];
    const text = `\n${hostile.join("\n")}\n\n  ${hostile.join("\n  ")}`;
    const page = manualPage(program(new Command("x").description(".SH Y").addHelpText("after", text)), RELEASE);
    const lines = commandsOf(page);
    expect(lines.filter((line) => /^[.']/.test(line) && !/^\.(?:SS|PP|RS|RE|nf|fi|TP)\b/.test(line))).toEqual([]);
    const escapes = new Set(lines.join("\n").match(/\\(?:f.|\(..|\[\w+\]|.)/g));
    expect(
      [...escapes].filter((one) => !/^\\(?:f[BIR]|e|-|&|\((?:aq|ga|ha|ti|dq)|\[u[0-9A-F]{4}\])$/.test(one)),
    ).toEqual([]);
  });

  it("is read without a warning by mandoc, with every text as it was", (context) => {
    if (spawnSync("mandoc", ["-V"]).error !== undefined) return context.skip("mandoc is not installed");
    const text = '\n  .SH NAME \\fI \'br "quoted" -x ~^` ü…';
    const page = manualPage(program(new Command("x").description(".x 'y").addHelpText("after", text)), RELEASE);
    const lint = spawnSync("mandoc", ["-Tlint"], { input: page, encoding: "utf8" });
    expect([lint.status, lint.stdout, lint.stderr]).toEqual([0, "", ""]);
    const shown = spawnSync("mandoc", ["-Tutf8", "-Owidth=120"], { input: page, encoding: "utf8" }).stdout;
    const plain = shown.replaceAll(/.[\b]/g, "");
    expect(plain).toContain(text.trim());
    expect(plain).toContain(".x 'y.");
  });
});

describe("the manual page of this version", () => {
  const page = join(import.meta.dirname, "../../../man/countersign.1");

  it.for([
    ["mandoc", ["-Tlint"]],
    ["groff", ["-man", "-Kutf8", "-ww", "-z"]],
  ] as const)("is read without a warning by %s", ([reader, options], context) => {
    const { status, stdout, stderr, error } = spawnSync(reader, [...options, page], { encoding: "utf8" });
    if (error !== undefined) return context.skip(`${reader} is not installed`);
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });
});
