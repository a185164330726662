import { Command, Option } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { readLogs } from "../../log/read-log.js";
import { RecordReader } from "../../log/record-reader.js";
import { Report } from "../../workbench/report.js";
import { writeWhole } from "../files/write.js";
import { logsToRead } from "../log/configured-log.js";
import { LogProblems } from "../log/log-problems.js";
import { recordFilter, sinceOption } from "../log/record-filter.js";
import { plural } from "../output/findings.js";
import { print, printJson } from "../output/output.js";

/** `countersign report`: a page that shows what a decision log holds. */
export function command(): Command {
  return new Command("report")
    .description("Makes an HTML page of a decision log: what was denied and what would be, over time and by name")
    .argument("[file...]", "decision logs, `-` for standard input (default: the log of the configuration)")
    .option("--config <file>", "the configuration whose log is read", DEFAULT_CONFIG)
    .option(
      "--since <time>",
      "only from this time on, such as 2026-01-31T12:00:00Z, or the last 10m, 2h or 7d",
      sinceOption,
    )
    .option("--out <file>", "where to write the page", "report.html")
    .addOption(new Option("--json", "print the counts as one JSON object, and write no page").conflicts("out"))
    .addHelpText(
      "after",
      `
The page is one file and loads nothing from the network. It shows decisions over time, by policy, container and program,
and what would break if every attachment in audit were enforced today. It can be sorted and filtered, and a row opens
what the record of a denial says. It has at most 5 MB: rare groups of a large log are added up.

Exits with 0, or with 2 if a line cannot be read: it is named on stderr, and not counted. If a line cannot be read and
there is no decision to show, no page is written.

Examples:
  countersign report
  countersign report --since 7d --out week.html /var/log/countersign/decisions.jsonl`,
    )
    .action(report);
}

interface Options {
  readonly config: string;
  readonly since?: number;
  readonly out: string;
  readonly json?: true;
}

async function report(named: readonly string[], { config, since, out, json }: Options): Promise<void> {
  const paths = logsToRead(named, config);
  const problems = new LogProblems();
  const reader = new RecordReader();
  const report = new Report();
  const passes = recordFilter({ since });
  for await (const entries of readLogs(paths, problems.add))
    for (const { record: written } of entries) {
      const record = reader.take(written).record ?? written;
      if (passes(record)) report.add(record);
    }
  problems.close();
  const data = report.data(paths);
  if (json) return printJson(data);
  if (data.decisions === 0 && problems.count > 0) return;
  const { reportPage } = await import("../../workbench/report-page.js");
  writeWhole(out, Buffer.from(reportPage(data)));
  print(`${out}: ${plural(data.decisions, "decision")}`);
}
