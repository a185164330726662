import { existsSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import { type Config, parseConfig, readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { readText } from "../../input.js";
import { closeLogFile, openLogs } from "../../log/log-files.js";
import { RecordReader } from "../../log/record-reader.js";
import { LEARN_BY, type LearnBy } from "../../workbench/learn/learn-by.js";
import { Learner } from "../../workbench/learn/learner.js";
import { formOf, learntFiles } from "../../workbench/learn/learnt.js";
import { LEARNT_FILES } from "../../workbench/learn/learnt-configuration.js";
import { MADE_BY } from "../../workbench/learn/learnt-policy.js";
import { type LearntRule, learntRules, relocatedRules } from "../../workbench/learn/learnt-rules.js";
import type { SeenProgram } from "../../workbench/learn/seen-program.js";
import { writeWhole } from "../files/write.js";
import { noCacheOption } from "../input/cache-option.js";
import { collectOption } from "../input/collect-option.js";
import { KERNEL_FILES, kallsymsOption, modulesOption } from "../input/kernel-options.js";
import { variantsOption } from "../input/list-options.js";
import { countsOf, forSeenKernels, type LearnReport, textOf, wholeTypes } from "../learn/learn-report.js";
import { learntModules, learntModulesFile } from "../learn/learnt-modules.js";
import { ModuleLearner } from "../learn/module-learner.js";
import type { ListOptions } from "../listing/listed-programs.js";
import { logsToRead } from "../log/configured-log.js";
import { eachRecord } from "../log/each-record.js";
import { LogProblems } from "../log/log-problems.js";
import { EXIT } from "../output/exit.js";
import { print, printJson } from "../output/output.js";

/** `countersign learn [LOG…]`: makes a policy that allows what a recorded run loaded. */
export function command(): Command {
  return new Command("learn")
    .description(
      "Makes a policy, its map and its tests of a log: it allows the programs that were loaded, and what --by adds",
    )
    .argument("[log...]", "logs written with `log.level: inputs` (default: the log of the configuration)")
    .option("--config <file>", "the configuration that the log was written with: its log and keyrings", DEFAULT_CONFIG)
    .addOption(new Option("--by <kind>", "by what programs are learnt").choices(LEARN_BY).default("statement"))
    .option("--label <key>", "tell tasks apart by this label of their containers", labelOption)
    .option("--include-denied", "also learn programs whose load was denied")
    .option("--root <dir>", "the root directory of the machine, where kernel modules in the log are found", "/")
    .option("--out <dir>", "where to write; files that `learn` made there before are replaced", "learnt")
    .option("--check <file>", "also say which loads of this log the result denies; again for more", collectOption)
    .option("--objects <dir>", "objects whose digests on each --btf replace those of this kernel", collectOption)
    .option("--btf <file>", "a kernel for --objects; again for more (default: the running one)", collectOption)
    .addOption(variantsOption())
    .addOption(modulesOption())
    .addOption(kallsymsOption())
    .addOption(noCacheOption())
    .option("--json", "print what was learnt as one JSON object")
    .addHelpText("after", HELP)
    .action(learn);
}

const HELP = `
Takes every program that was loaded, also if an attachment in audit or a dry run would have denied it. Record the run
with \`log.level: inputs\` and policies/observe.js, which has the log say who signed each program.

  statement  by the signed statement that a program matches, whatever its settings: on every kernel
  signer     by who signed its statement
  digest     by its instructions on the kernels that were seen
  effects    by its type and what it may do: no effect that no program of that type was seen with

A program that has no verified statement is learnt by its digest instead, for the kernels only that were seen, and
named. With --objects and --btf such a digest is replaced by those that the program has on each of these kernels. A
program whose digest differs from run to run is named, too: such programs can be learnt --by effects.

If a log has records of a guard (\`seal log\`), the kernel modules that it would have denied under audit are written to
\`modules\`, a FILE for \`seal build --modules\`, each found by its digest in --root.

The result is a folder with countersign.yaml, a policy, its map and its tests, for \`countersign test\`. The same loads
give the same files, so that two results can be compared with diff.

${KERNEL_FILES}

Exits with 1 if --check finds loads that the result denies, else with 2 if a line or a load could not be read, or a load
of --check could not be decided, else with 0.

Examples:
  countersign learn --out learnt /var/log/countersign/decisions.jsonl
  countersign learn --by effects --label app --check thursday.jsonl monday.jsonl tuesday.jsonl
  countersign learn --objects /usr/sbin --btf linux-image-6.12.deb --btf linux-image-7.2.deb decisions.jsonl`;

interface Options extends ListOptions {
  readonly config: string;
  readonly by: LearnBy;
  readonly label?: string;
  readonly includeDenied?: true;
  readonly root: string;
  readonly out: string;
  readonly check?: readonly string[];
  readonly objects?: readonly string[];
  readonly json?: true;
}

async function learn(named: readonly string[], options: Options): Promise<void> {
  const { by, label = null, includeDenied = false, out, check, objects } = options;
  if (objects === undefined && options.btf !== undefined)
    throw new CountersignError("USAGE", "--btf is a kernel for --objects, which is not given", {
      remedy: "name the objects of the programs with --objects DIR",
    });
  rejectForeign(out);
  // Before anything is written
  for (const file of openLogs(check ?? [])) closeLogFile(file);
  const paths = logsToRead(named, options.config);
  const problems = new LogProblems();
  const reader = new RecordReader();
  const learner = new Learner(reader, label);
  const moduleLearner = new ModuleLearner();
  for await (const line of eachRecord(paths, reader, problems)) {
    learner.add(line);
    moduleLearner.add(line);
  }
  const seenModules = moduleLearner.modules(includeDenied);
  const modules = seenModules.length === 0 ? null : await learntModules(seenModules, options.root, release());
  const programs = learner.programs(includeDenied);
  const seen = learntRules(programs, by);
  const rules = objects === undefined ? seen : await relocated(seen, objects, options);
  if (rules.length === 0 && (modules === null || check !== undefined))
    throw nothingLearnt(paths, learner, moduleLearner.denied);
  const files = new Map(rules.length === 0 ? [] : filesOf(rules, options));
  if (modules !== null) files.set(LEARNT_MODULES, learntModulesFile(modules));
  for (const [name, text] of files) writeWhole(join(out, name), Buffer.from(text));
  const checked =
    check === undefined ? null : await checkedLogs(check, join(out, LEARNT_FILES.configuration), problems);
  problems.close();
  const digests = new Set(rules.flatMap(({ condition }) => (condition.by === "digest" ? [condition.digest] : [])));
  const report: LearnReport = {
    ...{ by, label, loads: learner.loads(includeDenied), rules: countsOf(rules) },
    left_out: { ...learner.leftOut, ...(includeDenied ? { denied: 0 } : {}) },
    for_seen_kernels: forSeenKernels(rules),
    whole_types: wholeTypes(rules),
    unasked: by === "statement" || by === "signer" ? new Set(programs.filter(isUnasked).map(identityOf)).size : 0,
    varying: learner.varying(digests),
    modules,
    files: [...files.keys()].map((name) => join(out, name)),
    check: checked,
  };
  if (options.json) printJson(report);
  else print(textOf(report).join("\n"));
  if (checked !== null && checked.denied > 0) process.exitCode = EXIT.denied;
  else if (isIncomplete(report)) process.exitCode = EXIT.undecided;
}

/** Whether a load, or a load of --check, could not be learnt or decided, or a module has no name. */
function isIncomplete({ left_out: { unusable }, check, modules }: LearnReport): boolean {
  return Object.keys(unusable).length > 0 || (check?.unknown ?? 0) > 0 || (modules?.unknown.length ?? 0) > 0;
}

/** The files of a policy that allows what was learnt, by their names. */
function filesOf(rules: readonly LearntRule[], options: Options): ReadonlyMap<string, string> {
  const form = formOf(rules, options.by, options.label ?? null);
  const from = form.keyrings.length === 0 ? null : readConfig(options.config, "check", parseConfig, null);
  return learntFiles(rules, form, from, options.out);
}

const isUnasked = (program: SeenProgram) => program.isUnasked;
const identityOf = ({ type, digest }: SeenProgram) => `${type} ${digest}`;

/** Rejects a key that no label has, or that no test could name. */
function labelOption(key: string): string {
  if (key !== "" && key !== "__proto__" && key.length <= MAX_LABEL) return key;
  throw new CountersignError("USAGE", `\`${key.slice(0, MAX_LABEL)}\` is no key of a label`, {
    remedy: "name one such as `app` or `app.kubernetes.io/name`",
  });
}

/** The file of kernel modules, in the folder of the result. */
const LEARNT_MODULES = "modules";

/** In characters. Kubernetes allows 317. */
const MAX_LABEL = 1024;
/** In bytes. */
const MAX_LEARNT = 64 * 2 ** 20;

/** Rejects a folder that has a file of this name that `learn` did not make. The map has no comment that says so. */
function rejectForeign(out: string): void {
  for (const name of [LEARNT_FILES.configuration, LEARNT_FILES.policy, LEARNT_FILES.tests]) {
    const path = join(out, name);
    if (!existsSync(path)) continue;
    const [head = ""] = readText(path, MAX_LEARNT).split("\n", 1);
    if (head.includes(MADE_BY)) continue;
    throw new CountersignError("USAGE", "was not made by `learn`, and would be replaced", {
      place: path,
      remedy: "name another folder with --out",
    });
  }
}

async function relocated(
  rules: readonly LearntRule[],
  objects: readonly string[],
  options: ListOptions,
): Promise<readonly LearntRule[]> {
  const [{ resolveListed }, { ListedDigests }] = await Promise.all([
    import("../listing/listed-programs.js"),
    import("../listing/listed-digests.js"),
  ]);
  const listed = new ListedDigests();
  const isComplete = await resolveListed(objects, options, (...program) => listed.add(...program));
  if (!isComplete) process.exitCode = EXIT.undecided;
  return relocatedRules(rules, (type, digest) => listed.of(type, digest));
}

async function checkedLogs(
  paths: readonly string[],
  config: string,
  problems: LogProblems,
): Promise<LearnReport["check"]> {
  const [{ LearntCheck }, { ReplayedConfiguration }] = await Promise.all([
    import("../../workbench/learn/learnt-check.js"),
    import("../../workbench/replay/replayed-configuration.js"),
  ]);
  const learnt: Config = readConfig(config, "check");
  const reader = new RecordReader();
  const check = new LearntCheck(reader, ReplayedConfiguration.fromFiles(learnt));
  for await (const line of eachRecord(paths, reader, problems)) check.add(line);
  check.close();
  return { ...check.counts, groups: check.groups() };
}

function nothingLearnt(paths: readonly string[], learner: Learner, deniedModules: number): CountersignError {
  const { denied: deniedLoads, unusable } = learner.leftOut;
  const denied = deniedLoads + deniedModules;
  const [why] = Object.keys(unusable);
  const because = why !== undefined ? `: ${why}` : denied > 0 ? ", all loads in it were denied" : "";
  return new CountersignError("LEARN_NOTHING", `has no load to learn${because}`, {
    place: paths.join(", "),
    remedy:
      denied > 0 && why === undefined
        ? "learn them with --include-denied, or record a run in mode `audit`"
        : "record loads with `log: { level: inputs }`, mode `audit` and policies/observe.js",
  });
}
