import { CountersignError } from "../error.js";
import { MAX_LINE } from "./follow.js";
import { closeLogFile, type LogFile, NAME_A_LOG, openLogs, unreadable } from "./log-files.js";
import { LinesEnd, linesOf } from "./log-lines.js";
import { type ReadRecord, recordIn } from "./read-record.js";

/** A record with its place. */
export interface LogEntry {
  /** The path of the file, which can be a rotated one. */
  readonly file: string;
  /** The number of the line, from 1. */
  readonly line: number;
  readonly record: ReadRecord;
}

/** Receives what cannot be read: LOG_DAMAGED, LOG_VERSION. Reading goes on. */
export type Report = (problem: CountersignError) => void;

/**
 * Reads the records of logs in the order of their files and lines, in batches. `-` is standard input; rotated files
 * beside a log belong to it, and gzip is decompressed. Throws FILE_UNREADABLE if a log cannot be opened.
 */
export function readLogs(paths: readonly string[], report: Report): AsyncGenerator<readonly LogEntry[]> {
  return readFiles(openLogs(paths), report);
}

/** The same for files that are open. Closes each. */
export async function* readFiles(files: readonly LogFile[], report: Report): AsyncGenerator<readonly LogEntry[]> {
  const left = [...files];
  try {
    for (let file = left[0]; file !== undefined; file = left[0]) {
      yield* entriesOf(file, report);
      closeLogFile(file);
      left.shift();
    }
  } finally {
    for (const file of left) closeLogFile(file);
  }
}

/** With so many problems, those that were held back are reported one by one, although no record was found yet. */
const REPORTED_AT = 1000;

/** Holds back what cannot be read at the beginning of a file: one without any record is no log, which is said once. */
class Beginning {
  readonly #held: CountersignError[] = [];
  #isOver = false;

  constructor(
    private readonly path: string,
    private readonly report: Report,
  ) {}

  readonly add: Report = (problem) => {
    if (this.#isOver) return this.report(problem);
    this.#held.push(problem);
    if (problem.code !== "LOG_DAMAGED" || this.#held.length === REPORTED_AT) this.end();
  };

  /** The file has a record, or is read no further. */
  end(): void {
    this.#isOver = true;
    for (const problem of this.#held.splice(0)) this.report(problem);
  }

  /** The file was read, and has no record unless the beginning is over. */
  close(): void {
    const { length } = this.#held;
    if (length < 2) this.end();
    else
      this.report(
        new CountersignError("LOG_DAMAGED", `is no decision log: none of its ${length} lines is a record`, {
          place: this.path,
          remedy: NAME_A_LOG,
        }),
      );
  }
}

/** The entry of one line; null if there is none. `report` receives what cannot be read of a line that is not empty. */
export function entryIn(file: string, line: number, text: string | null, report: Report): LogEntry | null {
  if (text === "") return null;
  const { record, problem } = text === null ? { record: null, problem: TOO_LONG } : recordIn(text);
  if (problem !== null) report(problem.within(`${file}:${line}`));
  return record === null ? null : { file, line, record };
}

async function* entriesOf({ path, fd }: LogFile, report: Report): AsyncGenerator<readonly LogEntry[]> {
  const beginning = new Beginning(path, report);
  try {
    for await (const { first, lines } of linesOf(fd)) {
      const all = lines.map((text, index) => entryIn(path, first + index, text, beginning.add));
      const entries = all.filter((entry) => entry !== null);
      if (entries.length > 0) beginning.end();
      yield entries;
    }
    beginning.close();
  } catch (error) {
    beginning.end();
    if (!(error instanceof LinesEnd)) throw error;
    if (!isDamage(error.cause)) throw unreadable(path, error.cause);
    report(
      new CountersignError("LOG_DAMAGED", `cannot be decompressed after this line: ${error.message}`, {
        place: `${path}:${error.after}`,
        remedy: "copy or compress the file again; the lines before are read",
        cause: error.cause,
      }),
    );
  }
}

const TOO_LONG = new CountersignError("LOG_DAMAGED", `is longer than ${MAX_LINE} bytes, and no record`, {
  remedy: "check that the file is a decision log; all other lines are read",
});

/** Whether zlib found that the file is cut off or changed. */
function isDamage({ code }: NodeJS.ErrnoException): boolean {
  return code?.startsWith("Z_") === true;
}
