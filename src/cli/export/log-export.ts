import { CountersignError } from "../../error.js";
import { entryIn } from "../../log/read-log.js";
import type { ReadRecord } from "../../log/read-record.js";
import { RecordReader } from "../../log/record-reader.js";
import { KEPT_DEFINITIONS, takeDefinition } from "../log/earlier-definitions.js";
import { LogPosition } from "./log-position.js";
import type { OtlpExporter } from "./otlp-exporter.js";
import { PositionedLog } from "./positioned-log.js";

/** What is exported, and how. */
export interface LogExportOptions {
  readonly log: string;
  /** The file with the position. */
  readonly position: string;
  /** Which records are exported; decisions have what their definitions have. */
  readonly passes: (record: ReadRecord) => boolean;
  /** Gets what cannot be read, and what was lost. */
  readonly report: (problem: CountersignError) => void;
}

/**
 * Exports the records of a log. The position is saved after the collector has taken the records before it, so that each
 * is exported at least once.
 */
export class LogExport {
  readonly #position: LogPosition;
  readonly #log: PositionedLog;
  /** Before the first pass: the files of the position. */
  #before: readonly string[];
  readonly #reader = new RecordReader(KEPT_DEFINITIONS);

  /** Throws FILE_UNREADABLE for a position that cannot be read. */
  constructor(
    private readonly options: LogExportOptions,
    private readonly exporter: Pick<OtlpExporter, "send">,
  ) {
    this.#position = LogPosition.open(options.position);
    this.#before = this.#position.heads;
    this.#log = new PositionedLog(options.log, this.#position, (line) => takeDefinition(this.#reader, line));
  }

  /** Exports what is there. Returns whether it was stopped. Throws EXPORT_FAILED, FILE_UNREADABLE. */
  async pass(): Promise<boolean> {
    const { passes, report } = this.options;
    const heads = new Set<string>();
    for await (const { file, lines, after } of this.#log.unread(heads)) {
      const entries = lines.flatMap(({ line, text }) => entryIn(file, line, text, report) ?? []);
      const records = entries.map(({ record }) => this.#reader.take(record).record ?? record).filter(passes);
      if ((await this.exporter.send(records)) === "stopped") return true;
      this.#position.save(after);
      heads.add(after.head);
    }
    if (this.#before.length > 0 && !this.#before.some((head) => heads.has(head))) report(lost(this.options));
    this.#before = [];
    return false;
  }
}

function lost({ log, position }: LogExportOptions): CountersignError {
  return new CountersignError(
    "RECORD_NOT_FOUND",
    `none of its files is one of those that ${position} lists as exported`,
    {
      place: log,
      remedy: "raise `log.keep`, or let the export run all the time: records that were rotated away are not exported",
    },
  );
}
