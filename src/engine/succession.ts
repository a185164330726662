import type { Config } from "../config/config.js";
import type { Fault } from "../policy/outcome.js";
import { type Commit, Ledger, type Written } from "./ledger.js";
import { type Offence, Offences, type Sentence } from "./offences.js";
import type { Texts } from "./sources.js";
import { type Overdue, PREPARE_TIMEOUT } from "./watch.js";

/** An attachment, by its number in the configuration, that answers with a fault in a decision and is not asked. */
export type Standing = readonly [attachment: number, fault: Fault];

/**
 * Attachments whose policies did harm: their thread had to be terminated, or their runtime or module was lost. The first time
 * has no further consequence; from the second on the attachment answers with a fault without being asked.
 */
const SENTENCE: Sentence = { spared: 1, first: 1000, longest: 10 * 60 * 1000 };

export type Suspensions = readonly (readonly [attachment: number, offence: Offence])[];

/** Which attachments did harm, how often, and which of them are suspended now. */
export class SuspensionList {
  readonly #offences: Offences<number>;

  constructor(records: Suspensions = []) {
    this.#offences = new Offences(SENTENCE, records);
  }

  charge(attachment: number): void {
    this.#offences.charge(attachment, Date.now());
  }

  /** Attachments to skip: timed out in this decision, or suspended. */
  standing(overdue: readonly Standing[]): readonly Standing[] {
    if (this.#offences.size === 0) return overdue;
    const out = this.#offences
      .out(Date.now())
      .filter(([attachment]) => overdue.every(([one]) => one !== attachment))
      .map(([attachment, offence]): Standing => [attachment, suspension(offence)]);
    return [...out, ...overdue];
  }

  /** Attachments that did harm, suspended or not. */
  get offenders(): ReadonlySet<number> {
    return new Set(this.records.map(([attachment]) => attachment));
  }

  /** All that is known, for another thread. */
  get records(): Suspensions {
    return this.#offences.records;
  }
}

/** State that each decision thread passes to its successor: committed map writes, and which attachments did harm. */
export class Succession {
  readonly #ledger: Ledger;
  readonly #suspended = new SuspensionList();

  /** `texts`: what each thread begins with. */
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

  /** A thread had to be terminated because of an attachment. Returns the attachment's answer in the decision under way. */
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

  /** Attachments cost their runtimes or modules, in a thread that goes on. */
  chargeHarm(attachments: readonly number[]): void {
    for (const attachment of attachments) this.#suspended.charge(attachment);
  }

  /** Attachments to skip: timed out in this decision, or suspended. */
  standing(overdue: readonly Standing[]): readonly Standing[] {
    return this.#suspended.standing(overdue);
  }

  /** For a thread that keeps its own {@link SuspensionList}. */
  get offences(): Suspensions {
    return this.#suspended.records;
  }
}

function suspension({ count, until }: Offence): Fault {
  const again = new Date(until).toISOString();
  const message = `lost its thread, module or runtime ${count} times: suspended until ${again}`;
  return { code: "SUSPENDED", message, place: null };
}
