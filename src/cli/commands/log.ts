import { Command, Option } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { Follow } from "../../log/follow.js";
import { DEFINITION_TYPES } from "../../log/input-records.js";
import { closeLogFile, openLogs, STANDARD_INPUT } from "../../log/log-files.js";
import { entryIn, type LogEntry, readFiles, readLogs } from "../../log/read-log.js";
import type { ReadRecord } from "../../log/read-record.js";
import { RecordReader } from "../../log/record-reader.js";
import { Selector } from "../../policy/scope/selector.js";
import { visibleJson } from "../../visible-text.js";
import { COMPRESSIONS, type Compression, otlpAddress, otlpCompression, otlpHeaders } from "../export/otlp-address.js";
import { StopSignal } from "../input/stop-signal.js";
import { configuredPrograms, logsToRead } from "../log/configured-log.js";
import { KEPT_DEFINITIONS, takeDefinition } from "../log/earlier-definitions.js";
import { LogProblems, noRecord } from "../log/log-problems.js";
import { type FilterOptions, recordFilter, sinceOption } from "../log/record-filter.js";
import { recordLine } from "../log/record-line.js";
import { EXIT } from "../output/exit.js";
import { print, printError, printJson } from "../output/output.js";

/** `countersign log`: shows records of decision logs. */
export function command(): Command {
  return new Command("log")
    .description("Shows a decision log: one line for each decision, the oldest first")
    .argument("[file...]", "decision logs, `-` for standard input (default: the log of the configuration)")
    .option("--config <file>", "the configuration whose log is read", DEFAULT_CONFIG)
    .option("--denied", "only what was denied, or in a dry run would have been")
    .option("--audit-denials", "only what attachments in audit denied; with --denied: either of both")
    .option("--shadow", "only what the shadow would decide otherwise; with --denied: what it would deny")
    .option(
      "--policy <name>",
      "only decisions of this attachment, or of a policy with this SHA-256; again for more",
      all,
    )
    .option("--label <selector>", "only containers with these labels, such as tier=edge; again for more", selectors)
    .option(
      "--since <time>",
      "only from this time on, such as 2026-01-31T12:00:00Z, or the last 10m, 2h or 7d",
      sinceOption,
    )
    .option("--id <id>", "only the decision with this id; again for more", all)
    .option(
      "--as-request <id>",
      "write the request of this decision, which `check --request` takes; again for more",
      all,
    )
    .option(
      "--objects <folder>",
      "files with bytes of requests that `log.programs` lacks, found by their SHA-256; again for more",
      all,
    )
    .option("--follow", "show what is appended to the log until Ctrl-C; with --since also what is there")
    .option("--json", "one JSON object for each record, in the present version of the format")
    .addOption(
      new Option("--export <otlp=url>", "send the records to a collector by OTLP/HTTP, and print none").argParser(
        otlpAddress,
      ),
    )
    .addOption(
      new Option("--compression <name>", "compress what is sent (default: OTEL_EXPORTER_OTLP_COMPRESSION)").choices(
        COMPRESSIONS,
      ),
    )
    .option("--position <file>", "how far the log was exported (default: the log's path with `.exported` after it)")
    .addHelpText(
      "after",
      `
Rotated files beside a log belong to it (FILE.1, FILE.2.gz), and gzip is decompressed. A selector is that of Kubernetes:
\`tier in (edge, prod),!debug\`. Times are those in the records, whatever their order in the file.

With --export the records are sent from the position on, at first from the oldest file; with --follow until Ctrl-C, or
else once. The position moves when the collector has taken them: each is sent at least once, also if the collector was
away or the log was rotated meanwhile. One export at a time uses a position. An address without a path gets /v1/logs.
Headers are those of OTEL_EXPORTER_OTLP_HEADERS, such as authorization=Bearer%20TOKEN.

A request has all facts of its decision, as a log of level \`inputs\` has them, and the bytes that are found in the
folder \`log.programs\`, if no log is named, and in those of --objects. Bytes that are not found are named: a policy
that asks for them cannot answer.

Exits with 0, or with 2 if a line cannot be read (it is named on stderr, and all others are shown), if no record has the
id, if a request lacks something, or if the collector rejects records.

Examples:
  countersign log --denied --since 1h
  countersign log --follow --label tier=edge
  countersign log --follow --denied --export otlp=http://localhost:4318
  countersign log --export otlp=https://collector.example --compression gzip
  countersign log --as-request 01a220c3-2003-72f9-a12f-3bc8cdc67ab7 | countersign check --request -
  countersign log --json --id 01a220c3-2003-72f9-a12f-3bc8cdc67ab7 decisions.jsonl`,
    )
    .action(log);
}

interface Options extends FilterOptions {
  readonly config: string;
  readonly follow?: true;
  readonly json?: true;
  readonly export?: URL;
  readonly position?: string;
  readonly compression?: Compression;
  readonly asRequest?: readonly string[];
  readonly objects?: readonly string[];
}

async function log(named: readonly string[], options: Options): Promise<void> {
  const paths = logsToRead(named, options.config);
  const problems = new LogProblems();
  if (options.asRequest !== undefined) {
    const { printRequests } = await import("../log/printed-requests.js");
    const programs = configuredPrograms(named, options.config);
    await printRequests(paths, options.asRequest, programs, options.objects ?? [], problems);
    problems.close();
    return;
  }
  if (options.export !== undefined || options.position !== undefined || options.compression !== undefined) {
    await exportLog(paths, options, problems);
    problems.close();
    return;
  }
  const output = new RecordOutput(options);
  if (options.follow) await follow(paths, options.since !== undefined, output, problems);
  else for await (const entries of readLogs(paths, problems.add)) await output.show(entries);
  problems.close();
  for (const id of output.missing) {
    printError(noRecord(id));
    process.exitCode = EXIT.undecided;
  }
}

/** Writes the records that pass the filter. */
class RecordOutput {
  readonly #passes: ReturnType<typeof recordFilter>;
  readonly #reader: RecordReader;
  /** The wanted ids that no record has had. */
  readonly missing: Set<string>;

  constructor(private readonly options: Options) {
    this.#passes = recordFilter(options);
    this.#reader = new RecordReader(options.follow ? KEPT_DEFINITIONS : Number.POSITIVE_INFINITY);
    this.missing = new Set(options.id);
  }

  /** A line that is not to be shown: a decision that follows may refer to it. */
  skip(line: string): void {
    takeDefinition(this.#reader, line);
  }

  /** Decisions get the fields that are in their definitions. Waits while the reader of the output is slow. */
  async show(entries: readonly LogEntry[]): Promise<void> {
    const shown = entries
      .map(({ record }) => this.#reader.take(record).record ?? record)
      .filter((record) => (this.options.json || !isDefinition(record)) && this.#passes(record));
    for (const { id } of shown) if (id !== undefined) this.missing.delete(id);
    const lines = shown.map((record) => (this.options.json ? visibleJson(JSON.stringify(record)) : recordLine(record)));
    if (lines.length === 0 || process.stdout.write(`${lines.join("\n")}\n`)) return;
    await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}

/** Whether a record only describes what decisions refer to; a line about it would tell a reader nothing. */
function isDefinition({ type }: ReadRecord): boolean {
  return type === "start" || (DEFINITION_TYPES as readonly unknown[]).includes(type);
}

/** Milliseconds between two looks at a log that is followed. */
const REFRESH = 250;

async function follow(
  paths: readonly string[],
  withEarlier: boolean,
  output: RecordOutput,
  { add }: LogProblems,
): Promise<void> {
  const path = onlyLog(paths, "--follow");
  const follow = new Follow(path, withEarlier, (line) => output.skip(line));
  const look = () => output.show(follow.read().flatMap(({ line, text }) => entryIn(path, line, text, add) ?? []));
  const stop = new StopSignal();
  const first = follow.read();
  if (withEarlier) {
    // The files before the one that is followed
    const files = openLogs([path]);
    const current = files.findIndex(({ fd }) => follow.isReading(fd));
    const earlier = current < 0 ? files : files.slice(0, current);
    for (const file of files.slice(earlier.length)) closeLogFile(file);
    for await (const entries of readFiles(earlier, add)) await output.show(entries);
  }
  await output.show(first.flatMap(({ line, text }) => entryIn(path, line, text, add) ?? []));
  while (!(await stop.wait(REFRESH))) await look();
  await look();
  follow.close();
}

/** Sends records to a collector: what is there, and with `--follow` what is appended. */
async function exportLog(paths: readonly string[], options: Options, problems: LogProblems): Promise<void> {
  const { export: url, follow, json } = options;
  if (url === undefined) {
    const option = options.position === undefined ? "--compression" : "--position";
    throw new CountersignError("USAGE", `${option} is for --export`, { remedy: "name a collector, or leave it out" });
  }
  const log = onlyLog(paths, "--export");
  const [{ EXPORT_DELAYS, OtlpExporter }, { LogExport }, { PositionLock }] = await Promise.all([
    import("../export/otlp-exporter.js"),
    import("../export/log-export.js"),
    import("../export/position-lock.js"),
  ]);
  const compression = options.compression ?? otlpCompression(process.env);
  const headers = otlpHeaders(process.env);
  const position = options.position ?? `${log}.exported`;
  const lock = PositionLock.take(position);
  const stop = new StopSignal();
  const report = (problem: CountersignError) => printError(problem);
  const wait = (milliseconds: number) => stop.wait(milliseconds);
  const exporter = new OtlpExporter(url, { ...EXPORT_DELAYS, headers, compression, wait, report });
  const filter = recordFilter(options);
  const passes = (record: ReadRecord) => !isDefinition(record) && filter(record);
  let isStopped: boolean;
  try {
    const running = new LogExport({ log, position, passes, report: problems.add }, exporter);
    isStopped = await running.pass();
    while (follow && !isStopped && !(await stop.wait(REFRESH))) isStopped = await running.pass();
  } finally {
    lock?.release();
  }
  const counts = { exported: exporter.exported, rejected: exporter.rejected };
  if (json) printJson(counts);
  else print(`${counts.exported} records exported${counts.rejected === 0 ? "" : `, ${counts.rejected} rejected`}`);
  if (counts.rejected > 0 || (isStopped && !follow)) process.exitCode = EXIT.undecided;
}

/** Throws USAGE unless one file is named. */
function onlyLog(paths: readonly string[], option: string): string {
  const [path] = paths;
  if (path !== undefined && paths.length === 1 && path !== STANDARD_INPUT) return path;
  throw new CountersignError("USAGE", `${option} is for one file, and not for ${paths.join(" ")}`, {
    remedy: "name one log; its rotated files belong to it",
  });
}

function all(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function selectors(value: string, before: readonly Selector[] = []): readonly Selector[] {
  return [...before, Selector.parse(value)];
}
