import type { Config } from "../config/config.js";
import type { Fault } from "../policy/outcome.js";
import { type Commit, Ledger, type Written } from "./ledger.js";
import { type Offence, Offences, type Sentence } from "./offences.js";
import type { Texts } from "./sources.js";
import { type Overdue, PREPARE_TIMEOUT } from "./watch.js";

/** An attachment, by its number in the configuration, that is not asked in a decision and returns a fault. */
export type Standing = readonly [attachment: number, fault: Fault];

/**
 * Suspends attachments whose policies made a thread be terminated, or lost their runtime or module. The first time has
 * no consequence; from the second on, the attachment returns a fault without being asked until the suspension ends.
 */
const SENTENCE: Sentence = { spared: 1, first: 1000, longest: 10 * 60 * 1000 };

export type Suspensions = readonly (readonly [attachment: number, offence: Offence])[];

/** Counts failures of attachments and suspends them. */
export class SuspensionList {
  readonly #offences: Offences<number>;

  constructor(records: Suspensions = []) {
    this.#offences = new Offences(SENTENCE, records);
  }

  charge(attachment: number): void {
    this.#offences.charge(attachment, Date.now());
  }

  /** Attachments that are not asked: timed out in this decision, or suspended. */
  standing(overdue: readonly Standing[]): readonly Standing[] {
    if (this.#offences.size === 0) return overdue;
    const out = this.#offences
      .out(Date.now())
      .filter(([attachment]) => overdue.every(([one]) => one !== attachment))
      .map(([attachment, offence]): Standing => [attachment, suspension(offence)]);
    return [...out, ...overdue];
  }

  /** Attachments with failures, suspended or not. */
  get offenders(): ReadonlySet<number> {
    return new Set(this.records.map(([attachment]) => attachment));
  }

  /** All entries, for another thread. */
  get records(): Suspensions {
    return this.#offences.records;
  }
}

/** State that each decision thread passes to its successor: committed map writes, and the failures of attachments. */
export class Succession {
  readonly #ledger: Ledger;
  readonly #suspended = new SuspensionList();

  /** `texts` returns the file texts that each thread starts with. */
  constructor(
    private readonly config: Pick<Config, "maps" | "attachments">,
    texts?: () => Texts,
  ) {
    this.#ledger = new Ledger(config.maps, texts);
  }

  record(decision: Written): void {
    this.#ledger.record(decision);
  }

  commits(): readonly Commit[] {
    return this.#ledger.commits();
  }

  /**
   * Counts a failure of an attachment for which a thread had to be terminated. Returns its fault for the current
   * decision.
   */
  charge({ attachment, preparing }: Pick<Overdue, "attachment" | "preparing">): Standing {
    this.#suspended.charge(attachment);
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
  chargeHarm(attachments: readonly number[]): void {
    for (const attachment of attachments) this.#suspended.charge(attachment);
  }

  /** Attachments that are not asked: timed out in this decision, or suspended. */
  standing(overdue: readonly Standing[]): readonly Standing[] {
    return this.#suspended.standing(overdue);
  }

  /** All entries, for a thread that keeps its own {@link SuspensionList}. */
  get offences(): Suspensions {
    return this.#suspended.records;
  }
}

function suspension({ count, until }: Offence): Fault {
  const again = new Date(until).toISOString();
  const message = `lost its thread, module or runtime ${count} times: suspended until ${again}`;
  return { code: "SUSPENDED", message, place: null };
}
