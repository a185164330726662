import { release } from "node:os";
import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { CountersignError } from "../../../error.js";
import { HOOK_OF_FILES } from "../../../seal/file-judgement.js";
import { type PlanRow, ruleAt, sealPlan } from "../../../seal/plan.js";
import { objectFiles } from "../../files/object-files.js";
import { openCache } from "../../input/cache-option.js";
import { DEFAULT_VARIANT, kernelPath, openTarget } from "../../input/kernel-options.js";
import { reportedKeyrings } from "../../input/keyring-config.js";
import { openEngineForLists } from "../../input/open-engine.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson } from "../../output/output.js";
import { table } from "../../output/table.js";
import { JUDGED_HEAD, type JudgedRow, judgedCells, judgedJson, judgeFiles, summaryOf } from "./judged-files.js";
import { type ModuleProposal, proposedModules } from "./proposed-modules.js";

/** `countersign seal plan`: how each rule of a configuration stays in force when it is sealed. */
export function planCommand(): Command {
  return new Command("plan")
    .description("Shows how each rule of a configuration can be enforced by the kernel alone")
    .argument("[path...]", "BPF objects, executables that embed them, or folders: each program is judged, too")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .option("--btf <file>", "the kernel of the programs (default: the running one)")
    .option("--any-maps", "as for `seal build`")
    .option("--with-agent", "for a machine with an agent: `seal initramfs --with-agent`")
    .option("--root <folder>", "the root directory of the machine, whose modules are looked at", "/")
    .option("--json", "one JSON object a row")
    .addHelpText(
      "after",
      `
One row for each hook, each attachment, each keyring, each class of \`seal.admit\`, and \`seal.mask\`:
  list              the guard compares programs with the seal list, which \`seal build\` makes
  signature         of a keyring: the kernel can verify signatures as the keyring does. Programs with such a signature
                    load without being listed, if \`seal build\` writes signers.pem and --signers names it
  ticket            the policies can decide only at the load, asked by an agent (\`seal initramfs --with-agent\`), for
                    tasks of its containers; without one, the guard denies the load
  class             the guard admits programs by type, helpers and maps, and asks no policy
  mask              the guard denies all that the rule is about, also what the rule would allow
  none              there is no rule
  cannot be sealed  the guard would allow what the rule denies

Then a row for each choice of \`seal build --modules\`, with what it leaves open. The first is proposed for the machine:
\`present\`, with the sets that it seems to use, if its modules and devices can be read. \`by-ticket\` is given beside
the others, on a machine with an agent.

What is said of a policy is read from its text. With objects, the policies are asked about each program: \`listed\`,
\`denied\`, \`ticket\`, \`never\` or \`cannot load\`, as \`seal build --help\` explains.

Exits with 0, 1 if a rule cannot be sealed, or 2 if a file cannot be read.

Examples:
  countersign seal plan
  countersign seal plan --with-agent
  countersign seal plan --btf /boot/vmlinuz-6.12.118+deb13-amd64 /usr/lib/bpf
  countersign seal plan --json | jq -r 'select(.means == "ticket").name'`,
    )
    .action(plan);
}

interface Options {
  readonly config: string;
  readonly btf?: string;
  readonly anyMaps?: true;
  readonly withAgent?: true;
  readonly root: string;
  readonly json?: true;
}

async function plan(paths: readonly string[], options: Options): Promise<void> {
  const { config: file, json, anyMaps, withAgent } = options;
  if (paths.length === 0 && options.btf !== undefined)
    throw new CountersignError("USAGE", "--btf is about programs, and no object is named", { remedy: "name objects" });
  const { keyrings } = await reportedKeyrings(file, []);
  const { config, engine } = await openEngineForLists(file, openCache());
  try {
    const authorities = new Map(keyrings.map(({ config: { name }, report }) => [name, report.authorities()]));
    const rows = sealPlan({ config, engine, authorities, withAgent: withAgent === true });
    const failed = new Set<string>();
    const judge = { config, engine, anyMaps: anyMaps === true };
    const kernel = paths.length === 0 ? null : await openTarget(kernelPath(options), {}, null);
    const programs =
      kernel === null ? [] : await judgeFiles(objectFiles(paths), kernel, judge, [DEFAULT_VARIANT], failed);
    const rule = ruleAt(config, engine, HOOK_OF_FILES.modules);
    const needs = { rule, withAgent: withAgent === true };
    const modules = await proposedModules(options.root, kernel?.release ?? release(), needs);
    if (json === true) [...rows, ...modules.map(moduleJson), ...programs.map(programJson)].forEach(printJson);
    else {
      const denied = withAgent === true ? "denied with an agent" : "denied without an agent";
      print(table(["rule", "enforced by", denied, "why"], rows.map(cells)));
      print(`\n${table(["--modules", "proposed", "still open", "why"], modules.map(moduleCells))}`);
      if (programs.length > 0) print(`\n${table(JUDGED_HEAD, programs.map(judgedCells))}\n\n${summaryOf(programs)}`);
    }
    const isOpen = rows.some(({ means }) => means === "cannot be sealed");
    process.exitCode = failed.size > 0 ? EXIT.undecided : isOpen ? EXIT.denied : EXIT.ok;
  } finally {
    engine.close();
  }
}

function moduleJson(row: ModuleProposal): object {
  return { kind: "modules", ...row };
}

function moduleCells({ name, proposed, leaves_open, reason }: ModuleProposal): readonly string[] {
  return [name, proposed ? "yes" : "", leaves_open, reason];
}

function programJson(row: JudgedRow): object {
  return { kind: "program", ...judgedJson(row) };
}

function cells({ kind, name, hook, means, reason, denied }: PlanRow): readonly string[] {
  return [
    kind === "mask" ? kind : hook === null ? `${kind} ${name}` : `${kind} ${name}, ${hook}`,
    means,
    denied,
    reason,
  ];
}
