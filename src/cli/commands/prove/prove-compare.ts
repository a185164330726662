import { Command } from "commander";
import { readConfig } from "../../../config/config.js";
import type { ComparisonAnswer, Difference } from "../../../prove/compare/comparison.js";
import type { PlacedPolicies } from "../../../prove/configuration/placed-policies.js";
import { decisionWords, valueWords } from "../../../prove/witness/decision-words.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { DIFFERENCE_WORDS } from "../../output/difference-words.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { assumedPolicies, assumptionsText, CONTENTS, VERSION_ASSUMED } from "./assumptions.js";
import { type Format, formatOf, formatOption, printSarif } from "./format-option.js";
import { hookNamed } from "./hook-option.js";
import { countOf, doubtLine, MAX_PATHS, pathsWords, TIMEOUT } from "./limits.js";

/** `countersign prove compare`: what one configuration allows and denies otherwise than another. */
export function compareCommand(): Command {
  return new Command("compare")
    .description("Shows what a new configuration allows that the old one denies, and the reverse")
    .argument("<old>", "a configuration")
    .argument("<new>", "another configuration, such as a new version of it")
    .option("--hook <name>", "only the decisions of this hook")
    .option("--reasons", "also compare reasons, denying attachments and faults of denials with the same errno")
    .option("--contents", CONTENTS)
    .option("--max-paths <number>", "the most paths of one hook", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all hooks together", countOf, TIMEOUT)
    .addOption(formatOption())
    .option("--json", "short for --format json: `comparisons`, and what they assume in `assumes`")
    .addHelpText(
      "after",
      `
Both configurations are explored together, for the same programs, callers, signatures and contents of maps. The answer
of each hook is \`equal\`; \`differs\`, with one example of what only the new one allows, of what only the old one
allows, and of what both deny with different errnos, each of which the engine has decided by both; or \`not decided\`,
with the lines that are the reason. Configurations in the same mode are compared by what they enforce, or would
enforce; a dry run and one that enforces by what they apply. docs/prove.md says what is assumed.

Exits with 0 when all hooks are equal, 1 when one differs, 2 when one is not decided and none differs, or a
configuration cannot be used.

Examples:
  countersign prove compare countersign.yaml new.yaml
  countersign prove compare --hook bpf_prog_load --reasons countersign.yaml new.yaml
  countersign prove compare --format sarif old/countersign.yaml countersign.yaml > changes.sarif
  countersign prove compare --json --timeout 300 old/countersign.yaml countersign.yaml`,
    )
    .action(run);
}

interface Options {
  readonly hook?: string;
  readonly reasons?: true;
  readonly contents?: true;
  readonly maxPaths: number;
  readonly timeout: number;
  readonly format?: Format;
  readonly json?: true;
}

async function run(oldFile: string, newFile: string, options: Options): Promise<void> {
  const [{ PlacedPolicies }, { comparedHooks, compareDecisions }, { DefinitionChanges }, { DECISION_ASSUMPTIONS }] =
    await Promise.all([
      import("../../../prove/configuration/placed-policies.js"),
      import("../../../prove/compare/comparison.js"),
      import("../../../prove/compare/definition-changes.js"),
      import("../../../prove/table/decision-table.js"),
    ]);
  const [oldConfig, newConfig] = [readConfig(oldFile, "check"), readConfig(newFile, "check")];
  const only = hookNamed(options.hook);
  const format = formatOf(options);
  compileWasmOnce();
  const [old, its] = [oldConfig, newConfig].map((one) => new PlacedPolicies(one, options.contents === true)) as [
    PlacedPolicies,
    PlacedPolicies,
  ];
  const changes = new DefinitionChanges(old, its);
  const bar = await counter("hooks");
  const end = performance.now() + 1000 * options.timeout;
  const answers: ComparisonAnswer[] = [];
  for (const hook of only === null ? comparedHooks(old, its) : [only]) {
    const bounds = { paths: options.maxPaths, timeout: Math.max(0, end - performance.now()) };
    answers.push(compareDecisions(old, its, hook, changes, { bounds, comparesReasons: options.reasons === true }));
    bar.step(hook);
  }
  bar.stop();
  old.close();
  its.close();
  const { assumedMaps } = await import("./assumed-maps.js");
  const assumes = [
    ...DECISION_ASSUMPTIONS,
    ...new Set([...assumedMaps(old), ...assumedMaps(its)]),
    ...assumedOf(old, its),
  ];
  if (format === "json") printJson({ comparisons: answers, assumes });
  else if (format === "sarif") {
    const { comparisonFindings } = await import("../../output/prove-findings.js");
    await printSarif(comparisonFindings(answers, newFile), "compare");
  } else printAnswers(answers, assumes);
  process.exitCode = exitOf(answers);
}

/** What was compared, so that the answer is about nothing else. */
function assumedOf(...both: readonly [old: PlacedPolicies, its: PlacedPolicies]): readonly string[] {
  return [
    "a map, and the verification by a keyring, give the same in both configurations if they have the same name",
    "only decisions are compared: not limits, `delegate`, `freeze`, and the settings of gate, seal, log and sandbox",
    ...both.map((policies) => assumedPolicies(policies.config.file, policies)),
    VERSION_ASSUMED,
  ];
}

function exitOf(answers: readonly ComparisonAnswer[]): number {
  if (answers.some(({ answer }) => answer === "differs")) return EXIT.denied;
  return answers.some(({ answer }) => answer === "not decided") ? EXIT.undecided : EXIT.ok;
}

function printAnswers(answers: readonly ComparisonAnswer[], assumes: readonly string[]): void {
  if (answers.length === 0) print("equal: neither configuration has an attachment, and their defaults are the same");
  for (const one of answers) {
    print(styled("bold", visibleText(`${one.hook}: ${one.answer}`)));
    for (const line of detailsOf(one)) print(`  ${visibleText(line)}`);
  }
  print(`\n${assumptionsText(assumes)}`);
}

function detailsOf({ answer, differences, doubts, paths, confirmed }: ComparisonAnswer): readonly string[] {
  const lines = paths === 0 ? [] : [pathsWords(paths, confirmed)];
  if (paths === 0 && answer === "equal") lines.push("the same policies are asked in the same way");
  for (const one of differences) lines.push(...differenceLines(one));
  if (answer === "differs" && doubts.length === 0) {
    const found = differences.map(({ kind }) => kind);
    for (const kind of ["allowed", "denied"] as const) if (!found.includes(kind)) lines.push(NO_SUCH[kind]);
  }
  lines.push(...doubts.map(doubtLine));
  return lines;
}

/** What is said if there is no difference of a kind. */
const NO_SUCH: Readonly<Record<"allowed" | "denied", string>> = {
  allowed: "the new configuration allows nothing that the old one denies",
  denied: "the new configuration denies nothing that the old one allows",
};

function differenceLines({ kind, values, ...decided }: Difference): readonly string[] {
  const facts = Object.entries(values).map(([name, value]) => `  ${valueWords(name, value)}`);
  const decisions = (["old", "new"] as const).map((which) => {
    const { place } = decided[which];
    return `  ${which}: ${decisionWords(decided[which])}${place === null ? "" : ` (${place})`}`;
  });
  return [`${DIFFERENCE_WORDS[kind]}, for example with:`, ...facts, ...decisions];
}
