import type { Config } from "../../config/config.js";
import type { Fault } from "../../policy/model/outcome.js";
import type { FileSnapshot } from "../load/file-cache.js";
import { type BackoffEntry, type BackoffPolicy, BackoffTable } from "./backoff-table.js";
import { type Commit, CommittedWrites, type Written } from "./committed-writes.js";
import { type AskedAttachment, PREPARE_TIMEOUT } from "./watch.js";

/** An attachment, by its number in the configuration, that is not asked in a decision and returns a fault. */
export type SkippedAttachment = readonly [attachment: number, fault: Fault];

/**
 * Suspends attachments whose policies made a thread be terminated, or lost their runtime or module. The first time has
 * no consequence; from the second on, the attachment returns a fault without being asked until the suspension ends.
 */
const BACKOFF: BackoffPolicy = { free: 1, first: 1000, longest: 10 * 60 * 1000 };

export type Suspensions = readonly (readonly [attachment: number, entry: BackoffEntry])[];

/** Counts failures of attachments and suspends them. */
export class SuspensionList {
  readonly #table: BackoffTable<number>;

  constructor(records: Suspensions = []) {
    this.#table = new BackoffTable(BACKOFF, records);
  }

  recordFailure(attachment: number): void {
    this.#table.recordFailure(attachment, Date.now());
  }

  /** Attachments that are not asked: timed out in this decision, or suspended. */
  skipped(overdue: readonly SkippedAttachment[]): readonly SkippedAttachment[] {
    if (this.#table.size === 0) return overdue;
    const suspended = this.#table
      .suspended(Date.now())
      .filter(([attachment]) => overdue.every(([one]) => one !== attachment))
      .map(([attachment, entry]): SkippedAttachment => [attachment, suspension(entry)]);
    return [...suspended, ...overdue];
  }

  /** Attachments with failures, suspended or not. */
  get failing(): ReadonlySet<number> {
    return new Set(this.records.map(([attachment]) => attachment));
  }

  /** All entries, for another thread. */
  get records(): Suspensions {
    return this.#table.records;
  }
}

/** State that each decision thread passes to its successor: committed map writes, and the failures of attachments. */
export class ThreadHandoverState {
  readonly #writes: CommittedWrites;
  readonly #suspended = new SuspensionList();

  /** `texts` returns the file texts that each thread starts with. */
  constructor(
    private readonly config: Pick<Config, "maps" | "attachments">,
    texts?: () => FileSnapshot,
  ) {
    this.#writes = new CommittedWrites(config.maps, texts);
  }

  record(decision: Written): void {
    this.#writes.record(decision);
  }

  commits(): readonly Commit[] {
    return this.#writes.commits();
  }

  /**
   * Counts a failure of an attachment for which a thread had to be terminated. Returns its fault for the current
   * decision.
   */
  recordFailure({ attachment, preparing }: Pick<AskedAttachment, "attachment" | "preparing">): SkippedAttachment {
    this.#suspended.recordFailure(attachment);
    const timeout = this.config.attachments[attachment]?.limits.timeout;
    const late = preparing
      ? `took longer than ${PREPARE_TIMEOUT} ms to be made ready`
      : `took longer than its ${timeout} ms`;
    return [
      attachment,
      { code: "OUT_OF_TIME", message: `${late} and did not stop: its thread was ended`, place: null },
    ];
  }

  /** Counts failures of attachments that lost their runtime or module in a thread that continues. */
  recordFailures(attachments: readonly number[]): void {
    for (const attachment of attachments) this.#suspended.recordFailure(attachment);
  }

  /** Attachments that are not asked: timed out in this decision, or suspended. */
  skipped(overdue: readonly SkippedAttachment[]): readonly SkippedAttachment[] {
    return this.#suspended.skipped(overdue);
  }

  /** All entries, for a thread that keeps its own {@link SuspensionList}. */
  get suspensions(): Suspensions {
    return this.#suspended.records;
  }
}

function suspension({ count, until }: BackoffEntry): Fault {
  const again = new Date(until).toISOString();
  const message = `lost its thread, module or runtime ${count} times: suspended until ${again}`;
  return { code: "SUSPENDED", message, place: null };
}
