import { type Logger, pino } from "pino";
import type { Decision, Origin } from "../hooks/decision.js";
import type { Container } from "../policy/model/current.js";
import { containerOf, decisionRecord } from "./decision-record.js";
import { type DecidedBy, REPEATED } from "./input-records.js";
import { InputsWriter } from "./inputs-writer.js";
import { levelOf } from "./level.js";
import { Mask } from "./mask.js";
import { ProgramStore, type ProgramStoreOptions } from "./program-store.js";
import {
  type CallerOfRecord,
  type DecisionRecord,
  type KeyringRecord,
  RECORD_VERSION,
  type ThrottleRecord,
  timestamp,
} from "./record.js";
import { RotatingFile, type RotatingFileOptions } from "./rotating.js";
import { type ShadowDifference, shadowRecord } from "./shadow-record.js";

/**
 * The decision log: one line of JSON for each record (docs/log.md). `write` returns after write(2), so the record of a
 * decision exists before the decision has any effect. Strings from the task are escaped and truncated: they cannot end
 * a line or fill the disk.
 */
export class DecisionLog {
  private readonly file: RotatingFile;
  private readonly logger: Logger;
  /** Null for a log of level `decision`. */
  private readonly inputs: InputsWriter | null;
  private readonly mask: Mask;
  private readonly programs: ProgramStore | null;

  /** `decidedBy` is needed for level `inputs`. Throws FILE_UNREADABLE. */
  constructor(
    options: DecisionLogOptions,
    private readonly origin: Origin = "library",
    decidedBy: (() => DecidedBy) | null = null,
  ) {
    this.file = new RotatingFile({ ...options, unchecked: UNCHECKED, repeated: REPEATED });
    this.mask = new Mask(options.mask ?? []);
    this.programs = this.openPrograms(options);
    const hasInputs = options.level === "inputs" && decidedBy !== null;
    this.inputs = hasInputs ? new InputsWriter(origin, decidedBy, this.mask, options.rotate) : null;
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

  /**
   * `subject` is that of the decision; null if no policy was asked. Throws FILE_UNREADABLE when the line cannot be
   * written.
   */
  write(decision: Decision, subject: object | null = null): void {
    if (this.inputs !== null) this.file.compose(this.inputs.lines(decision, subject));
    else this.logger[levelOf(decision)](masked(decisionRecord(decision, this.origin), this.mask));
    if (subject !== null) this.programs?.keep(subject);
  }

  /** Whether {@link idleStep} has something to do. */
  get hasIdleWork(): boolean {
    return this.programs?.hasIdleWork === true;
  }

  /** See {@link ProgramStore.idleStep}. */
  idleStep(): boolean {
    return this.programs?.idleStep() === true;
  }

  private openPrograms({ programs }: DecisionLogOptions): ProgramStore | null {
    try {
      return programs === undefined ? null : new ProgramStore(programs);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  /** Records a change of a keyring's files: level `info` for a new generation, `warn` if the files are rejected. */
  keyring({ keyring, generation, error }: KeyringEvent): void {
    this.reconfigure();
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

  /** Records that loads of a container wait. `releases`: `gate.program_releases`. Throws FILE_UNREADABLE. */
  throttle(container: Container | null, releases: number): void {
    const record: Omit<ThrottleRecord, "level"> = {
      type: "throttle",
      version: RECORD_VERSION,
      time: timestamp(Date.now()),
      origin: this.origin,
      container: container === null ? null : this.maskedContainer(container),
      program_releases: releases,
    };
    this.logger.warn(record);
  }

  /** Returns what a record has of a container, without masked values; null if it is masked itself. */
  private maskedContainer(container: Container): ThrottleRecord["container"] {
    const copy: Partial<Pick<CallerOfRecord, "container">> = structuredClone({ container: containerOf(container) });
    this.mask.apply("current", copy);
    return copy.container ?? null;
  }

  /** Records what a shadow would decide otherwise. Throws FILE_UNREADABLE. */
  shadow(difference: ShadowDifference): void {
    this.logger[levelOf(difference.decision)](masked(shadowRecord(difference, this.origin), this.mask));
  }

  /** What the engine decides by has changed. */
  reconfigure(): void {
    this.inputs?.reconfigure();
  }

  close(): void {
    this.programs?.close();
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

export interface DecisionLogOptions extends RotatingFileOptions {
  /** `decision` if absent. */
  readonly level?: "decision" | "inputs";
  /** JSON pointers; see {@link Mask}. */
  readonly mask?: readonly string[];
  /** None if absent. */
  readonly programs?: ProgramStoreOptions;
}

/** Milliseconds: see {@link RotatingFileOptions.unchecked}. A reader finds a record after an incomplete line. */
const UNCHECKED = 1;

/** Deletes the masked values of a record, and adds the pointers to them. */
function masked<Of extends Pick<DecisionRecord, "subject" | "current">>(record: Of, mask: Mask): Of {
  if (mask.isEmpty) return record;
  const { subject, current } = structuredClone({ subject: record.subject, current: record.current });
  const pointers = [...mask.apply("subject", subject), ...mask.apply("current", current)];
  return pointers.length === 0 ? record : { ...record, subject, current, masked: pointers };
}
