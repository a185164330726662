import { CountersignError } from "../error.js";
import type { InputsDecisionRecord } from "./input-records.js";
import { DEFINED_HEAD, definedIn, mayBeDefinition, mayBeDenial, mayHaveId } from "./line-heads.js";
import { LogBlocks } from "./log-blocks.js";
import { type LogFile, unreadable } from "./log-files.js";
import { isAuditDenial, isDenied } from "./outcome.js";
import type { Report } from "./read-log.js";
import { recordIn } from "./read-record.js";
import { type ReadLine, RecordReader } from "./record-reader.js";

/** A decision that was found in a log. */
export interface FoundDecision {
  /** The file and the number of the line; the file alone if lines before were not counted. */
  readonly place: string;
  readonly line: ReadLine;
  /** Has the definitions that the decision refers to, as far as the log has them. */
  readonly reader: RecordReader;
}

/** A line of a log before it is parsed. */
interface RawLine {
  readonly file: LogFile;
  readonly text: string;
  /** From 1; null if it was not counted. */
  readonly number: number | null;
}

const LINE_FEED = 0x0a;
/** The end of a log in which the newest denial is looked for first, in bytes. */
const TAIL = 4 * 1024 * 1024;

/**
 * Finds single decisions in logs. Lines are compared as bytes and only those that are wanted are parsed, so that a
 * gigabyte takes less than a second.
 */
export class DecisionSearch {
  readonly #blocks = new Map<LogFile, LogBlocks>();

  /** `files` are open, the oldest first. `report` gets what cannot be read: LOG_DAMAGED. */
  constructor(
    private readonly files: readonly LogFile[],
    private readonly report: Report,
  ) {
    for (const file of files) this.#blocks.set(file, new LogBlocks(file));
  }

  /** The decisions with an id, in the order of the log: more than one if the log was damaged or joined. */
  async withId(id: string): Promise<readonly FoundDecision[]> {
    const bytes = Buffer.from(id);
    if (bytes.length === 0) return [];
    const isWanted = (text: string) => {
      const { record } = recordIn(text);
      return record?.id === id && record.type === "decision";
    };
    const found: RawLine[] = [];
    for (const file of this.files)
      await this.#eachLine(file, (block, start, end, number) => {
        if (!mayHaveId(block, start, bytes)) return true;
        const text = block.toString("utf8", start, end);
        if (isWanted(text)) found.push({ file, text, number });
        return true;
      });
    // Records of other versions, and after an incomplete one in the same line
    if (found.length === 0)
      for (const file of this.files)
        found.push(...(await this.#linesWith(file, [bytes])).filter(({ text }) => isWanted(text)));
    return Promise.all(found.map((line) => this.#decision(line)));
  }

  /** The last denial in the log, enforced or in audit; null if there is none. */
  async newestDenial(): Promise<FoundDecision | null> {
    for (const file of this.files.toReversed()) {
      const tail = this.#blocks.get(file)!.tail(TAIL);
      let text = tail === null ? null : lastDenialIn(tail);
      if (text === null) for await (const block of this.#readable(file)) text = lastDenialIn(block) ?? text;
      if (text !== null) return this.#decision({ file, text, number: null });
    }
    return null;
  }

  async #decision({ file, text, number }: RawLine): Promise<FoundDecision> {
    const reader = new RecordReader();
    const { record } = recordIn(text);
    await this.#define(reader, file, digestsOf(record as unknown as InputsDecisionRecord));
    return { place: number === null ? file.path : `${file.path}:${number}`, line: reader.read(text), reader };
  }

  /**
   * Gives the reader the definitions with these digests, and the records of writers. They are in the file of the
   * decision; if it was cut, another file may have them, since a digest says what it is of.
   */
  async #define(reader: RecordReader, file: LogFile, wanted: Set<string>): Promise<void> {
    for (const one of [file, ...this.files.filter((other) => other !== file)]) {
      if (wanted.size === 0) return;
      await this.#eachLine(one, (block, start, end) => {
        if (!mayBeDefinition(block, start)) return true;
        const defined = definedIn(block.toString("latin1", start, Math.min(end, start + DEFINED_HEAD)));
        if (defined === null || (!wanted.has(defined) && !isWriter(block, start))) return true;
        reader.read(block.toString("utf8", start, end));
        wanted.delete(defined);
        return wanted.size > 0;
      });
    }
    if (wanted.size === 0) return;
    const needles = [...wanted].map((digest) => Buffer.from(`"digest":"${digest}"`));
    for (const one of this.files) for (const { text } of await this.#linesWith(one, needles)) reader.read(text);
  }

  /** The lines that contain one of some texts, wherever. */
  async #linesWith(file: LogFile, needles: readonly Buffer[]): Promise<readonly RawLine[]> {
    const found: RawLine[] = [];
    for await (const block of this.#readable(file))
      for (const needle of needles)
        for (let at = block.indexOf(needle); at !== -1; ) {
          const start = block.lastIndexOf(LINE_FEED, at) + 1;
          const feed = block.indexOf(LINE_FEED, at);
          const end = feed === -1 ? block.length : feed;
          found.push({ file, text: block.toString("utf8", start, end), number: null });
          at = feed === -1 ? -1 : block.indexOf(needle, end);
        }
    return found;
  }

  /** Calls `visit` for each line until it returns false. The offsets are valid during the call only. */
  async #eachLine(
    file: LogFile,
    visit: (block: Buffer, start: number, end: number, number: number) => boolean,
  ): Promise<void> {
    let number = 0;
    for await (const block of this.#readable(file))
      for (let start = 0; start < block.length; ) {
        const feed = block.indexOf(LINE_FEED, start);
        const end = feed === -1 ? block.length : feed;
        number += 1;
        if (!visit(block, start, end, number)) return;
        start = end + 1;
      }
  }

  /** Ends at damage of a compressed file, which is reported. Throws FILE_UNREADABLE. */
  async *#readable(file: LogFile): AsyncGenerator<Buffer> {
    try {
      yield* this.#blocks.get(file)!.blocks();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code?.startsWith("Z_") !== true) throw unreadable(file.path, error);
      this.report(cutOff(file.path, message));
    }
  }
}

function cutOff(place: string, message: string): CountersignError {
  const remedy = "copy or compress the file again; what is before the damage is read";
  return new CountersignError("LOG_DAMAGED", `cannot be decompressed to its end: ${message}`, { place, remedy });
}

function lastDenialIn(block: Buffer): string | null {
  const candidates: number[] = [];
  for (let start = 0; start < block.length; ) {
    if (mayBeDenial(block, start)) candidates.push(start);
    const feed = block.indexOf(LINE_FEED, start);
    start = feed === -1 ? block.length : feed + 1;
  }
  for (const start of candidates.toReversed()) {
    const feed = block.indexOf(LINE_FEED, start);
    const text = block.toString("utf8", start, feed === -1 ? block.length : feed);
    const { record } = recordIn(text);
    if (record?.type === "decision" && (isDenied(record) || isAuditDenial(record))) return text;
  }
  return null;
}

function isWriter(block: Buffer, start: number): boolean {
  return block.toString("latin1", start, start + START.length) === START;
}
const START = '{"level":"info","type":"start"';

/** The digests of the definitions that a decision refers to; empty for one of level `decision`. */
function digestsOf({ configuration, subject, current, answers = [] }: InputsDecisionRecord): Set<string> {
  if (typeof configuration !== "string") return new Set();
  // Fields of calls can have any value
  const calls: readonly unknown[] = answers.flatMap(({ calls }) => (Array.isArray(calls) ? calls : []));
  const verifications = calls.map((call) => (call as { readonly verification?: unknown } | null)?.verification);
  const its = (subject as { readonly definition?: unknown } | undefined)?.definition;
  const all: readonly unknown[] = [configuration, its, current?.definition, ...verifications];
  return new Set(all.filter((digest) => typeof digest === "string"));
}
