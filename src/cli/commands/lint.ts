import { Command, Option } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { fixedText } from "../../workbench/lint/fixes.js";
import { type Finding, type LintResult, lint } from "../../workbench/lint.js";
import { readTextFile, replaceTextFile } from "../files/text-file.js";
import { compileWasmOnce } from "../input/wasm-compiler.js";
import { EXIT } from "../output/exit.js";
import { countOf, plural, printFindings } from "../output/findings.js";
import { print, printError, printJson } from "../output/output.js";

const FORMATS = ["text", "json", "sarif", "github"] as const;

/** `countersign lint [FILE…]`: finds mistakes in policies and configurations, without deciding. */
export function command(): Command {
  return new Command("lint")
    .description("Finds mistakes in configurations and policies, without running them")
    .argument("[file...]", `configurations, with all that they name, or single policies (default: ${DEFAULT_CONFIG})`)
    .option("--fix", "correct what can be corrected without allowing anything that was denied before")
    .option("--types", "check types as well, with your own `typescript` (5 or later)")
    .option("--scan", "also name reads of facts that `scan --config` does not know of what is loaded")
    .addOption(new Option("--format <format>", "the form of the output").choices(FORMATS).default("text"))
    .option("--json", "short for --format json: one object with `findings`, `files` and `fixed`")
    .addHelpText(
      "after",
      `
A configuration is checked with its policies, maps, keyrings and statements, and for all that an engine rejects or warns
about at start. A policy that is named itself is checked alone: whether its keyrings and maps exist is not known then.
Each finding has a stable code, which docs/lint.md explains. A comment on the same line or the line before suppresses a
code, with a reason: \`// lint-ignore CODE: reason\`. What is rejected at start cannot be suppressed.

\`--format sarif\` is for code hosts, \`--format github\` writes annotations in a workflow of GitHub Actions.

Exits with 0 when nothing was found, 1 when something was, 2 when a file could not be read or lint was used wrongly.

Examples:
  countersign lint
  countersign lint countersign.yaml
  countersign lint --fix policies/*.js
  countersign lint --types --format sarif > lint.sarif`,
    )
    .action(run);
}

interface Options {
  readonly fix?: true;
  readonly types?: true;
  readonly scan?: true;
  readonly format: (typeof FORMATS)[number];
  readonly json?: true;
}

/** The largest file that is fixed, in bytes. */
const MAX_FIXED = 2 ** 20;
/** A fix can uncover another mistake with a fix. */
const MAX_ROUNDS = 5;

async function run(given: readonly string[], { fix, types, scan, format, json }: Options): Promise<void> {
  if (json === true && format !== "text" && format !== "json")
    throw new CountersignError("USAGE", `--json and --format ${format} exclude each other`, {
      remedy: "leave one of them out",
    });
  compileWasmOnce();
  const paths = given.length === 0 ? [DEFAULT_CONFIG] : given;
  const options = { types: types === true, forScan: scan === true };
  let result = await lint(paths, options);
  let fixed = 0;
  for (let round = 0; fix === true && round < MAX_ROUNDS; round++) {
    const made = fixFiles(result.findings);
    if (made === 0) break;
    fixed += made;
    result = await lint(paths, options);
  }
  await report(result, fixed, json === true ? "json" : format);
  result.unreadable.forEach(printError);
  if (result.unreadable.length > 0) process.exitCode = EXIT.undecided;
  else if (result.findings.length > 0) process.exitCode = EXIT.denied;
}

/** Makes the fixes of all files, and returns how many. */
function fixFiles(findings: readonly Finding[]): number {
  const byFile = new Map<string, Finding[]>();
  for (const finding of findings)
    if (finding.fix !== null && finding.file !== null)
      byFile.set(finding.file, [...(byFile.get(finding.file) ?? []), finding]);
  let all = 0;
  for (const [file, own] of byFile) {
    const { text, whole } = readTextFile(file, MAX_FIXED);
    const { text: changed, made } = fixedText(text, own);
    if (made > 0) replaceTextFile(file, whole(changed));
    all += made;
  }
  return all;
}

async function report(result: LintResult, fixed: number, format: Options["format"]): Promise<void> {
  const { findings, files } = result;
  switch (format) {
    case "json":
      printJson({
        findings: findings.map(({ fix, ...finding }) => ({ ...finding, fixable: fix !== null })),
        files,
        fixed,
      });
      return;
    case "sarif": {
      const [{ sarifOf }, { LINT_RULES }] = await Promise.all([
        import("../../workbench/lint/report/sarif.js"),
        import("../../workbench/lint/rules.js"),
      ]);
      printJson(sarifOf(findings, LINT_RULES));
      return;
    }
    case "github": {
      const { githubAnnotation } = await import("../../workbench/lint/report/github.js");
      findings.map(githubAnnotation).forEach(print);
      return;
    }
    default:
      printText(result, fixed);
  }
}

function printText({ findings, files, unreadable }: LintResult, fixed: number): void {
  printFindings(findings);
  if (fixed > 0) print(`${plural(fixed, "mistake")} corrected`);
  if (findings.length > 0) print(`\n${countOf(findings)} in ${plural(files.length, "file")}`);
  else if (unreadable.length === 0) print(`${plural(files.length, "file")} checked, nothing found`);
}
