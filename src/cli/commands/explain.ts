import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { DecisionSearch, type FoundDecision } from "../../log/decision-search.js";
import { closeLogFile, openLogs } from "../../log/log-files.js";
import type { Explanation } from "../../workbench/explain/explanation.js";
import { logsToRead } from "../log/configured-log.js";
import { LogProblems } from "../log/log-problems.js";
import { explainText } from "../output/explain-text.js";
import { print, printJson } from "../output/output.js";

/** `countersign explain [ID]`: why a decision is what it is. */
export function command(): Command {
  return new Command("explain")
    .description("Says why a decision is what it is: scopes, facts read, answers of helpers, the line that returned")
    .argument("[id|file]", "the id of a decision (default: the newest denial in the log)")
    .option("--log <file>", "the log, `-` for standard input; again for more (default: that of the configuration)", all)
    .option("--config <file>", "the configuration whose log is read", DEFAULT_CONFIG)
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
A decision in a log with \`log.level: inputs\` is executed again from its record, and its policies are observed. No other
file than the log is needed. If an input is missing, it is named, and this shows what the record holds, as for any other
decision. \`check --log\` and the summary of \`run\` print ids of denials.

Exits with 0, or with 2 if there is no such decision, or a part of the log that is needed cannot be read.

Examples:
  countersign explain
  countersign explain 01a220c3-2003-72f9-a12f-3bc8cdc67ab7
  countersign explain --log decisions.jsonl --json 01a220c3-2003-72f9-a12f-3bc8cdc67ab7`,
    )
    .action(explain);
}

interface Options {
  readonly config: string;
  readonly log?: readonly string[];
  readonly json?: true;
}

async function explain(id: string | undefined, options: Options): Promise<void> {
  const { explain: explained } = await import("../../workbench/explain/explain.js");
  const problems = new LogProblems();
  const found = await decisionIn(logsToRead(options.log ?? [], options.config), id, problems);
  problems.close();
  show(explained(found.line, found.reader), options);
}

/** The decision to explain. Throws RECORD_NOT_FOUND. */
async function decisionIn(
  paths: readonly string[],
  id: string | undefined,
  { add }: LogProblems,
): Promise<FoundDecision> {
  const files = openLogs(paths);
  try {
    const search = new DecisionSearch(files, add);
    if (id === undefined) {
      const newest = await search.newestDenial();
      if (newest !== null) return newest;
      throw new CountersignError("RECORD_NOT_FOUND", `no decision of ${paths.join(", ")} is a denial`, {
        remedy: "name the id of a decision, which `countersign log` shows",
      });
    }
    const [first, ...others] = await search.withId(id);
    for (const { place } of others)
      add(
        new CountersignError("LOG_DAMAGED", `has the id of an earlier decision, at ${first!.place}`, {
          place,
          remedy: "compare the log with another copy; the first decision is explained",
        }),
      );
    if (first !== undefined) return first;
    const remedy = "check the id, and name the log that has it with --log";
    throw new CountersignError("RECORD_NOT_FOUND", `no record has the id \`${id}\``, { remedy });
  } finally {
    for (const file of files) closeLogFile(file);
  }
}

function show(explanation: Explanation, { json }: Options): void {
  if (json === true) printJson(explanation);
  else print(explainText(explanation));
}

function all(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
