import { type Logger, pino } from "pino";
import type { Decision, Origin } from "../hooks/decision.js";
import { decisionRecord } from "./decision-record.js";
import { type KeyringRecord, type LogRecord, RECORD_VERSION, timestamp } from "./record.js";
import { RotatingFile, type RotatingFileOptions } from "./rotating.js";

/**
 * The decision log: one line of JSON for each record (docs/log.md). `write` returns after write(2), so the record of a
 * decision exists before the decision has any effect. Strings from the task are escaped and truncated: they cannot end
 * a line or fill the disk.
 */
export class DecisionLog {
  private readonly file: RotatingFile;
  private readonly logger: Logger;

  /** Throws FILE_UNREADABLE. */
  constructor(
    options: RotatingFileOptions,
    private readonly origin: Origin = "library",
  ) {
    this.file = new RotatingFile(options);
    this.logger = pino(
      { base: null, timestamp: false, level: "info", formatters: { level: (label) => ({ level: label }) } },
      { write: (line: string) => this.file.write(line) },
    );
  }

  /**
   * Number of incomplete lines that this process terminated before it appended the next line. A line stays incomplete
   * if the disk was full or its writer was killed.
   */
  get torn(): number {
    return this.file.torn;
  }

  /** Throws FILE_UNREADABLE when the line cannot be written. */
  write(decision: Decision): void {
    this.logger[levelOf(decision)](decisionRecord(decision, this.origin));
  }

  /** Records a change of a keyring's files: level `info` for a new generation, `warn` if the files are rejected. */
  keyring({ keyring, generation, error }: KeyringEvent): void {
    const record: Omit<KeyringRecord, "level"> = {
      type: "keyring",
      version: RECORD_VERSION,
      time: timestamp(Date.now()),
      origin: this.origin,
      keyring,
      generation,
      error: error === null ? null : error.toString(),
    };
    this.logger[error === null ? "info" : "warn"](record);
  }

  close(): void {
    this.file.close();
  }
}

/** A change of a keyring between decisions. */
export interface KeyringEvent {
  readonly keyring: string;
  /** The generation in use after the event. */
  readonly generation: number;
  readonly error: Error | null;
}

/** Level `error` if a policy failed, `warn` for a denial (enforced or in audit), otherwise `info`. */
function levelOf({ answers, denied_by, audit_denials }: Decision): LogRecord["level"] {
  if (answers.some((answer) => answer.fault !== null)) return "error";
  return denied_by !== null || audit_denials.length > 0 ? "warn" : "info";
}
