import { Command, Option } from "commander";
import { readConfig } from "../../../config/config.js";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import type { DifferenceKind } from "../../../prove/compare/comparison.js";
import type { CheckedWitness } from "../../../prove/real/checked-witness.js";
import type { RealWitness } from "../../../prove/real/real-witness.js";
import { decisionWords } from "../../../prove/witness/decision-words.js";
import { visibleText } from "../../../visible-text.js";
import { compileWasmOnce } from "../../input/wasm-compiler.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { hookNamed } from "./hook-option.js";
import { countOf, MAX_PATHS, ROWS, TIMEOUT } from "./limits.js";

/** `countersign prove witness`: a file, signatures and a configuration that show a decision of the model. */
export function witnessCommand(): Command {
  return new Command("witness")
    .description("Makes an example real: files on which `check` decides the same")
    .argument("[config]", "a configuration", DEFAULT_CONFIG)
    .requiredOption("--out <folder>", "a new folder for the files")
    .option("--row <number>", "this row of the table of the configuration in `prove table`", countOf)
    .option("--rows <number>", "the most rows of that table, as for `prove table`", countOf, ROWS)
    .option("--property <name>", "a counterexample to this property, of those that ship or of --properties")
    .option("--properties <file>", "a file of properties")
    .option("--compare <old>", "a decision that another configuration makes otherwise")
    .addOption(
      new Option(
        "--kind <kind>",
        "with --compare: what the new configuration allows, denies, or denies with another errno or reason",
      ).choices(KINDS),
    )
    .option(
      "--hook <name>",
      "the decisions of this hook; by default the first at which there is an example, and for --row, the first hook " +
        "of the first attachment",
    )
    .option("--max-paths <number>", "the most paths of one exploration", countOf, MAX_PATHS)
    .option("--timeout <seconds>", "the most time for all explorations together", countOf, TIMEOUT)
    .option("--json", "one JSON object: `about`, `hook`, `file`, `lacks`, and `checked` for each configuration")
    .addHelpText(
      "after",
      `
Writes a BPF object (or another file, as the hook has it) that is assembled so that it has the facts which the path
needs; signatures of it by new keys; keyrings, maps, the task that asks (\`current.json\`), a configuration with the
same policies, and a README with the command. Then it decides about the file as \`countersign check\` does, and compares
the verdict, the denying attachment and the reason with what the prover says. With --compare, \`old.yaml\` is the other
configuration, and both decide. There is one example of each kind of difference: without --kind, the first is made
real, and the others are named.

A condition that no file can satisfy, such as one on what only the kernel knows of a program, is named:
\`not made real: prog.loaded is not null\`.

Exits with 0 when \`check\` decides as the prover says, 1 when it does not, 2 when there is no example, it could not be
made real, or the configuration cannot be used.

Examples:
  countersign prove witness --row 2 --out witness
  countersign prove witness --property nothing_unsigned_loads --out witness countersign.yaml
  countersign prove witness --property small --properties properties.js --hook bpf_prog_load --out witness
  countersign prove witness --compare old/countersign.yaml --out witness new/countersign.yaml
  countersign prove witness --compare old/countersign.yaml --kind denied --out witness new/countersign.yaml`,
    )
    .action(run);
}

const KINDS: readonly DifferenceKind[] = ["allowed", "denied", "errno", "reason"];

interface Options {
  readonly out: string;
  readonly row?: number;
  readonly rows: number;
  readonly property?: string;
  readonly properties?: string;
  readonly compare?: string;
  readonly kind?: DifferenceKind;
  readonly hook?: string;
  readonly maxPaths: number;
  readonly timeout: number;
  readonly json?: true;
}

async function run(file: string, { hook, maxPaths, timeout, out, json, ...choice }: Options): Promise<void> {
  const [{ PlacedPolicies }, { chosenExample }, { makeReal }, { refuseUsedFolder }] = await Promise.all([
    import("../../../prove/configuration/placed-policies.js"),
    import("./chosen-example.js"),
    import("../../../prove/real/real-witness.js"),
    import("../../../prove/real/witness-folder.js"),
  ]);
  refuseUsedFolder(out);
  const config = readConfig(file, "check");
  const named = hookNamed(hook);
  compileWasmOnce();
  const policies = new PlacedPolicies(config);
  const end = performance.now() + 1000 * timeout;
  const bounds = () => ({ paths: maxPaths, timeout: Math.max(0, end - performance.now()) });
  const { example, title, old } = await chosenExample(policies, { ...choice, hook: named, bounds });
  try {
    const configurations = [
      { name: DEFAULT_CONFIG, policies },
      ...(old === null ? [] : [{ name: "old.yaml", policies: old }]),
    ];
    const witness = example === null ? null : await makeReal(example, configurations, out);
    if (json === true) printJson({ about: title, ...(witness ?? { hook: named, file: null, lacks: [], checked: [] }) });
    else printWitness(title, witness);
    process.exitCode = exitOf(witness);
  } finally {
    policies.close();
    old?.close();
  }
}

function exitOf(witness: RealWitness | null): number {
  if (witness === null || witness.checked.length === 0) return EXIT.undecided;
  return witness.checked.every(({ isSame }) => isSame) ? EXIT.ok : EXIT.denied;
}

function printWitness(title: string, witness: RealWitness | null): void {
  print(styled("bold", visibleText(title)));
  if (witness === null) print("  there is no example to make real");
  else if (witness.checked.length === 0) print(`  not made real: ${visibleText(witness.lacks.join(" and "))}`);
  else for (const one of witness.checked) for (const line of checkedLines(one)) print(`  ${visibleText(line)}`);
}

function checkedLines({ command, found, expected, isSame }: CheckedWitness): readonly string[] {
  const lines = [command, `  decides: ${decisionWords(found)}`];
  return isSame ? [...lines, "  as the prover says"] : [...lines, `  the prover says: ${decisionWords(expected)}`];
}
