import { Command } from "commander";
import { readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { RecordReader } from "../../log/record-reader.js";
import { visibleText } from "../../visible-text.js";
import type { ReplayGroup, ReplayReport } from "../../workbench/replay/replay-report.js";
import { configuredPrograms, logsToRead } from "../log/configured-log.js";
import { eachRecord } from "../log/each-record.js";
import { LogProblems } from "../log/log-problems.js";
import { EXIT } from "../output/exit.js";
import { print, printJson } from "../output/output.js";
import { counter } from "../output/progress.js";

/** `countersign replay [LOG…]`: makes recorded decisions again. */
export function command(): Command {
  return new Command("replay")
    .description("Makes the decisions of a log again, and says whether they are the same")
    .argument("[log...]", "logs written with `log.level: inputs` (default: the log of the configuration)")
    .option("--config <file>", "the configuration whose log is read", DEFAULT_CONFIG)
    .option("--with <file>", "decide by this configuration: what would change?")
    .option(
      "--objects <folder>",
      "files with bytes that the log lacks, found by their SHA-256: BPF objects, files, or `log.programs`; " +
        "again for more",
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option("--json", "one JSON object: the counts, and the groups of decisions that are not the same")
    .addHelpText(
      "after",
      `
Policies, facts, callers and the answers of helpers are those in the log, so that nothing else is needed. With --with,
policies, scopes and the maps that policies only read are those of the other configuration, and so are its keyrings
where it asks them something else, if the bytes or statements are there. What it asks for and neither the log nor
--objects has makes a decision _unknown_, and the missing input is named. Without a log as an argument, the folder
\`log.programs\` of the configuration counts as one of --objects.

Exits with 1 if any decision changes, else with 2 if any is unknown, a line cannot be read or there is no decision, else
with 0.

Examples:
  countersign replay decisions.jsonl
  countersign replay --with new.yaml decisions.jsonl
  countersign replay --with new.yaml --objects /usr/lib/bpf decisions.jsonl
  countersign replay --with new.yaml --json decisions.jsonl`,
    )
    .action(replay);
}

interface Options {
  readonly config: string;
  readonly with?: string;
  readonly objects?: readonly string[];
  readonly json?: true;
}

async function replay(named: readonly string[], options: Options): Promise<void> {
  const [{ Replay }, { ReplayReport }, { ReplayedConfiguration }, { StoredContents }] = await Promise.all([
    import("../../workbench/replay/replay.js"),
    import("../../workbench/replay/replay-report.js"),
    import("../../workbench/replay/replayed-configuration.js"),
    import("../../workbench/replay/stored-contents.js"),
  ]);
  const paths = logsToRead(named, options.config);
  const other = options.with === undefined ? null : ReplayedConfiguration.fromFiles(readConfig(options.with, "check"));
  const files = await counter("files");
  const stored = StoredContents.of(options.objects ?? [], files.step);
  files.stop();
  const programs = configuredPrograms(named, options.config);
  const contents = { find: (sha256: string) => programs?.find(sha256) ?? stored.find(sha256) };
  const problems = new LogProblems();
  const reader = new RecordReader();
  const made = new Replay(reader, other, null, contents);
  const report = new ReplayReport();
  for await (const read of eachRecord(paths, reader, problems))
    if (read.record?.type === "decision") report.add(made.decide(read));
  made.close();
  if (report.isEmpty)
    problems.add(
      new CountersignError("LOG_EMPTY", "has no decision", {
        place: paths.join(", "),
        remedy: "name a log that `countersign run`, `agent` or `check` wrote with `log.level: inputs`",
      }),
    );
  problems.close();
  if (options.json) printJson({ ...report.counts, groups: report.groups() });
  else print(textOf(report).join("\n"));
  if (report.counts.different > 0) process.exitCode = EXIT.denied;
  else if (report.counts.unknown > 0) process.exitCode = EXIT.undecided;
}

/** Number of groups that are shown as text. */
const SHOWN = 50;

function textOf(report: ReplayReport): string[] {
  const { same, different, unknown, unasked } = report.counts;
  const asked = unasked === 0 ? "" : `, ${unasked} made without policies`;
  const lines = [`${same} the same, ${different} different, ${unknown} unknown${asked}`];
  const groups = report.groups();
  for (const group of groups.slice(0, SHOWN)) lines.push(lineOf(group));
  if (groups.length > SHOWN) lines.push(`… and ${groups.length - SHOWN} more groups, which --json has`);
  return lines;
}

function lineOf({ result, because, labels, subject, count, ids }: ReplayGroup): string {
  const where = labels === null ? "" : ` in a container (${labels === "" ? "no labels" : labels})`;
  const what = result === "different" ? because : `unknown without ${because}`;
  const id = ids[0] === undefined ? "" : ` [${ids[0]}]`;
  return visibleText(`${count} × \`${subject}\`${where}: ${what}${id}`);
}
