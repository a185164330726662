import { Command } from "commander";
import { type Config, readConfig } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { CountersignError, type ErrorCode } from "../../../error.js";
import type { HookName } from "../../../hooks/catalogue.js";
import { MAX_INPUT, readText } from "../../../input.js";
import type { CheckedTable } from "../../../prove/check/check-certificate.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printError, printJson } from "../../output/output.js";
import { counter } from "../../output/progress.js";
import { table } from "../../output/table.js";
import { assumptionsText } from "./assumptions.js";
import { chosenProperties } from "./chosen-properties.js";
import { hookNamed } from "./hook-option.js";

/** `countersign prove check`: checks a certificate without the explorer that made it. */
export function checkCommand(): Command {
  return new Command("check")
    .description("Checks a certificate of answers, without the explorer that made it")
    .argument("<certificate>", "a file that `prove table` or `prove property` wrote for --certificate")
    .argument("[config]", "the configuration that it is about", DEFAULT_CONFIG)
    .option("--properties <file>", "the file of the properties that it is about; without one, those that ship")
    .option("--property <name>", "only this property must be in the certificate")
    .option("--hook <name>", "properties must be in it for this hook (as for `prove property`)")
    .option(
      "--json",
      "one JSON object: `tables`, `uncertified`, `missing`, what they assume in `assumes`; or `rejected`",
    )
    .addHelpText(
      "after",
      `
The checker is small. It has its own evaluator, and shares with the explorer only the parsers of policies and scopes,
the declarations of facts, the form of conditions, and what loads the policies and has the engine decide an input. It
evaluates the policies' text under the conditions of each path of the certificate: each branch must be the next
condition of the policy, each end its verdict, reason and line. For the table of the configuration it also evaluates
scopes and combines the answers; for a property it evaluates the property of that decision. A side
of a branch can be left out only with a refutation, which it verifies. The engine decides about a witness of each path.
Configuration, policies, declared facts and engine must be those that
the certificate names.

A certificate of properties must have all that \`prove property\` would prove with the same options: those of
--properties, or those that ship.

Exits with 0 when the certificate is right and all its properties are proved, 1 when it is rejected or a property is
refuted, 2 when a property is missing in it, or the configuration or a file cannot be used.

Examples:
  countersign prove check decisions.cert.json
  countersign prove check properties.cert.json --properties properties.js
  countersign prove check decisions.cert.json countersign.yaml --json`,
    )
    .action(run);
}

interface Options {
  readonly properties?: string;
  readonly property?: string;
  readonly hook?: string;
  readonly json?: true;
}

/** Codes with which a certificate is rejected. */
const REJECTIONS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["PROOF_MALFORMED", "PROOF_OUTDATED", "PROOF_TREE_WRONG", "PROOF_ANSWER_WRONG"] as const),
  ...(["PROOF_REFUTATION_WRONG", "PROOF_WITNESS_WRONG", "PROOF_UNSUPPORTED"] as const),
]);

async function run(file: string, configuration: string, options: Options): Promise<void> {
  const { properties, json } = options;
  const config = readConfig(configuration, "check");
  const text = readText(file, MAX_INPUT);
  compileWasmOnce();
  try {
    const { tables, missing } = await checked(text, config, file, options);
    const named = new Set(tables.map((one) => ("attachment" in one ? one.attachment : null)));
    const uncertified = config.attachments.map(({ name }) => name).filter((name) => !named.has(name));
    const refuted = tables.filter((one) => "property" in one && one.answer === "refuted");
    if (json === true) printJson({ tables, uncertified, missing, assumes: CERTIFIED_ASSUMPTIONS });
    else printTables(tables, uncertified, missing);
    if (refuted.length > 0) process.exitCode = EXIT.denied;
    else if (missing.length > 0) process.exitCode = EXIT.undecided;
  } catch (error) {
    if (!(error instanceof CountersignError) || !REJECTIONS.has(error.code)) throw error;
    const rejected = properties === undefined ? await withProperties(error, text) : error;
    if (json === true) printJson({ rejected });
    printError(rejected);
    process.exitCode = EXIT.denied;
  }
}

/** A property that the certificate does not have for a hook. */
interface MissingProperty {
  readonly property: string;
  readonly hook: HookName;
}

/** The error, which names --properties if the certificate is about properties that do not ship. */
async function withProperties(error: CountersignError, text: string): Promise<CountersignError> {
  if (error.code !== "PROOF_OUTDATED") return error;
  const { SHIPPED_PROPERTIES } = await import("../../../prove/property/shipped-properties.js");
  const { tables } = JSON.parse(text) as { readonly tables: readonly { readonly property?: string }[] };
  const names = new Set(tables.flatMap(({ property = null }) => (property === null ? [] : [property])));
  const unknown = [...names].filter((name) => !Object.hasOwn(SHIPPED_PROPERTIES, name));
  if (unknown.length === 0) return error;
  const remedy = `name the file that has \`${unknown.join("`, `")}\` with --properties`;
  return new CountersignError(error.code, error.message, { place: error.place, remedy, cause: error.cause });
}

async function checked(text: string, config: Config, file: string, options: Options) {
  const [{ checkedTables, hooksOf }, { propertiesOf }, { propertyQuestions }, { shippedProperties }] =
    await Promise.all([
      import("./checked-certificate.js"),
      import("../../../prove/property/property-file.js"),
      import("../../../prove/property/property-questions.js"),
      import("../../../prove/property/shipped-properties.js"),
    ]);
  const areShipped = options.properties === undefined;
  const known = areShipped ? shippedProperties() : propertiesOf(options.properties!);
  const wanted = { properties: chosenProperties(known, options.property), areShipped, hook: hookNamed(options.hook) };
  const bar = await counter("tables");
  const tables: CheckedTable[] = [];
  try {
    for (const one of checkedTables(text, config, file, known)) {
      tables.push(one);
      bar.step(one.hook);
    }
  } finally {
    bar.stop();
  }
  const has = new Set(tables.flatMap((one) => ("property" in one ? [`${one.property} ${one.hook}`] : [])));
  const isAboutProperties = has.size > 0 || options.property !== undefined || options.hook !== undefined || !areShipped;
  const missing: readonly MissingProperty[] = !isAboutProperties
    ? []
    : propertyQuestions(wanted, hooksOf(config))
        .map(({ property: { name }, hook }) => ({ property: name, hook }))
        .filter(({ property, hook }) => !has.has(`${property} ${hook}`));
  return { tables, missing };
}

/** What a certificate assumes; the table of its command has the same. */
const CERTIFIED_ASSUMPTIONS: readonly string[] = [
  "the facts about a program are right, and signatures are verified as the helpers say",
  "maps have no value under a key, or any value that the schemas in the certificate allow",
  "no decision reaches a limit of its attachment (steps, memory, stack, time), and no attachment is suspended",
  "for the table of an attachment: the task is in its scope",
];

function printTables(
  tables: readonly CheckedTable[],
  uncertified: readonly string[],
  missing: readonly MissingProperty[],
): void {
  const rows = tables.map((one) => {
    const [about, digest] = aboutOf(one);
    const { hook, paths, branches, refuted } = one;
    return [about, hook, digest.slice(0, 16), String(paths), String(branches), String(refuted)].map(visibleText);
  });
  print(table(["about", "hook", "digest", "paths", "branches", "refuted sides"], rows));
  print("The certificate is right: each path ends as it says, and there are no others.");
  if (uncertified.length > 0 && tables.every((one) => !("property" in one)))
    print(visibleText(`Not certified: ${uncertified.join(", ")}`));
  for (const { property, hook } of missing) print(visibleText(`Not in the certificate: ${property} at ${hook}`));
  print(`\n${assumptionsText(CERTIFIED_ASSUMPTIONS)}`);
}

/** What a table is about, and the digest of that. */
function aboutOf(one: CheckedTable): readonly [about: string, digest: string] {
  if ("attachment" in one) return [one.attachment, one.policy];
  return "property" in one ? [`${one.property}: ${one.answer}`, one.text] : ["(configuration)", ""];
}
