import { Command } from "commander";
import { readConfig } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { CountersignError } from "../../../error.js";
import type { PropertyAnswer } from "../../../prove/property/property-answer.js";
import { decisionWords, valueWords } from "../../../prove/witness/decision-words.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { table } from "../../output/table.js";
import { assumedPolicies, assumptionsText, CONTENTS, VERSION_ASSUMED } from "./assumptions.js";
import { chosenProperties } from "./chosen-properties.js";
import { type Format, formatOf, formatOption, printSarif } from "./format-option.js";
import { hookNamed } from "./hook-option.js";
import { countOf, doubtLine, MAX_PATHS, pathsWords, TIMEOUT, withinLimits } from "./limits.js";

/** `countersign prove property`: whether properties hold for all decisions of a configuration. */
export function propertyCommand(): Command {
  return new Command("property")
    .description("Proves properties of all decisions, or refutes them with an example")
    .argument("[file]", "a file of properties; without one, those that ship")
    .option("--config <file>", "a configuration", DEFAULT_CONFIG)
    .option("--property <name>", "only this property")
    .option("--hook <name>", "the decisions of this hook (bpf_prog_load; for properties that ship, all hooks)")
    .option("--list", "list the properties that ship")
    .option("--contents", CONTENTS)
    .option("--max-paths <number>", "the most paths of one property", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all properties together", countOf, TIMEOUT)
    .option("--certificate <file>", "write a certificate of the answers, for `prove check`")
    .addOption(formatOption())
    .option("--json", "short for --format json: `properties`, and what they assume in `assumes`")
    .addHelpText(
      "after",
      `
A property is a function of a program, the caller and the decision, which returns whether all is well:

  export const no_unsigned_kernel_reads = (prog, current, decision, { verified }) =>
    !prog.effects.reads_kernel_memory || verified(prog) || decision.verdict !== 0;

It is explored together with all attachments, with symbols for facts, caller, maps and signatures. Answers: \`proved\`;
\`refuted\`, with a decision for which it is false, which the engine has made; \`refuted in the model\`, if no input was
found for such a decision; \`not decided\`, with the lines that are the reason. The search stops at the first
counterexample that the engine confirms; \`explored\` in the JSON says whether all paths were explored.
docs/prove.md says what is assumed.

--certificate writes the answers in a form that \`countersign prove check --properties FILE\` checks without the
explorer. A policy or property with syntax that the checker does not evaluate is an error that names it.

Exits with 0 when all are proved, 1 when one is refuted (also in the model), 2 when one is not decided, or a property or
the configuration cannot be used.

Examples:
  countersign prove property
  countersign prove property properties.js --config countersign.yaml
  countersign prove property --property never_faults --hook blob_verify
  countersign prove property properties.js --format sarif > properties.sarif
  countersign prove property properties.js --certificate properties.cert.json
  countersign prove property --list`,
    )
    .action(run);
}

interface Options {
  readonly config: string;
  readonly property?: string;
  readonly hook?: string;
  readonly list?: true;
  readonly contents?: true;
  readonly maxPaths: number;
  readonly timeout: number;
  readonly certificate?: string;
  readonly format?: Format;
  readonly json?: true;
}

async function run(file: string | undefined, options: Options): Promise<void> {
  const [{ PlacedPolicies }, { propertiesOf }, { checkPropertyKeys }, { propertyQuestions }, answer, shipped, assumed] =
    await Promise.all([
      import("../../../prove/configuration/placed-policies.js"),
      import("../../../prove/property/property-file.js"),
      import("../../../prove/property/property-keys.js"),
      import("../../../prove/property/property-questions.js"),
      import("../../../prove/property/property-answer.js"),
      import("../../../prove/property/shipped-properties.js"),
      import("../../../prove/table/decision-table.js"),
    ]);
  const format = formatOf(options);
  if (options.list === true) {
    requireAlone(file, format);
    list(shipped.SHIPPED_PROPERTIES, format === "json");
    return;
  }
  const config = readConfig(options.config, "check");
  const all = file === undefined ? shipped.shippedProperties() : propertiesOf(file);
  const chosen = chosenProperties(all, options.property);
  const hook = hookNamed(options.hook);
  compileWasmOnce();
  const policies = new PlacedPolicies(config, options.contents === true);
  const questions = propertyQuestions({ properties: chosen, areShipped: file === undefined, hook }, policies.hooks);
  if (questions.length === 0 && options.property !== undefined && hook !== null)
    throw new CountersignError("USAGE", `\`${options.property}\` says nothing about ${hook}`, {
      remedy: "leave --hook out, or name another hook",
    });
  checkPropertyKeys(questions);
  const bar = await counter("properties");
  const end = performance.now() + 1000 * options.timeout;
  const answers: PropertyAnswer[] = [];
  for (const { hook, property } of questions) {
    const bounds = { paths: options.maxPaths, timeout: Math.max(0, end - performance.now()) };
    answers.push(answer.proveProperty(policies, hook, property, bounds));
    bar.step(property.name);
  }
  if (options.certificate !== undefined) {
    const [{ makePropertyCertificate }, { writeCertificate }] = await Promise.all([
      import("../../../prove/certificate/make-certificate.js"),
      import("./checked-certificate.js"),
    ]);
    const bounds = { paths: options.maxPaths, timeout: Math.max(0, end - performance.now()) };
    const made = withinLimits(() => makePropertyCertificate(policies, questions, bounds));
    writeCertificate(made, config, options.certificate, chosen);
  }
  bar.stop();
  policies.close();
  const { assumedMaps } = await import("./assumed-maps.js");
  const assumes = [
    ...assumed.DECISION_ASSUMPTIONS,
    ...assumedMaps(policies),
    assumedPolicies("the configuration", policies),
    VERSION_ASSUMED,
  ];
  if (format === "json") printJson({ properties: answers, assumes });
  else if (format === "sarif") {
    const { propertyFindings } = await import("../../output/prove-findings.js");
    await printSarif(propertyFindings(answers, options.config, file ?? null), "property");
  } else printAnswers(answers, assumes);
  process.exitCode = exitOf(answers);
}

/** Throws USAGE for a file of properties or `--format sarif` with --list. */
function requireAlone(file: string | undefined, format: Format): void {
  if (file === undefined && format !== "sarif") return;
  throw new CountersignError("USAGE", "--list takes neither a file of properties nor `--format sarif`", {
    remedy: file === undefined ? "leave `--format sarif` out" : `leave \`${file}\` out`,
  });
}

function exitOf(answers: readonly PropertyAnswer[]): number {
  if (answers.some(({ answer }) => answer === "refuted" || answer === "refuted in the model")) return EXIT.denied;
  return answers.some(({ answer }) => answer === "not decided") ? EXIT.undecided : EXIT.ok;
}

function list(shipped: Readonly<Record<string, { readonly doc: string }>>, isJson: boolean): void {
  const rows = Object.entries(shipped).map(([name, { doc }]) => ({ name, doc }));
  if (isJson) printJson({ properties: rows });
  else
    print(
      table(
        ["property", "what it says"],
        rows.map(({ name, doc }) => [name, doc]),
      ),
    );
}

function printAnswers(answers: readonly PropertyAnswer[], assumes: readonly string[]): void {
  if (answers.length === 0) print("nothing to prove: no hook that these properties are about has attachments");
  for (const one of answers) {
    const heading = `${one.property} at ${one.hook}: ${one.answer}`;
    print(styled("bold", visibleText(heading)));
    for (const line of detailsOf(one)) print(`  ${visibleText(line)}`);
  }
  print(`\n${assumptionsText(assumes)}`);
}

function detailsOf({ witness, model, doubts, paths, confirmed, explored }: PropertyAnswer): readonly string[] {
  const lines = [pathsWords(paths, confirmed)];
  if (explored === "up to the witness")
    lines.push("the search stopped at the example below: other paths were not explored");
  if (witness !== null) {
    const { decision, values } = witness;
    lines.push("the engine made a decision for which it is false, with:");
    for (const [name, value] of Object.entries(values)) lines.push(`  ${valueWords(name, value)}`);
    lines.push(`  enforced: ${decisionWords(decision)}`);
  }
  for (const conditions of model) lines.push(`false in the model if ${conditions.join(" and ") || "anything"}`);
  lines.push(...doubts.map(doubtLine));
  return lines;
}
