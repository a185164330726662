import type { Config } from "../config/config.js";
import type { Fault } from "../policy/outcome.js";
import { type Commit, Ledger, type Written } from "./ledger.js";
import { type Offence, Offences, type Sentence } from "./offences.js";
import type { Texts } from "./sources.js";

/** An attachment, by its number in the configuration, that answers with a fault in a decision and is not asked. */
export type Standing = readonly [attachment: number, fault: Fault];

/**
 * Attachments whose policies had to be ended with their thread. The first time is charged alone; from the second on the
 * attachment refuses without being asked.
 */
const SENTENCE: Sentence = { spared: 1, first: 1000, longest: 10 * 60 * 1000 };

/** What each thread that decides leaves to the one after it: committed map writes, and which attachments had it ended. */
export class Succession {
  readonly #ledger: Ledger;
  readonly #offences = new Offences<number>(SENTENCE);

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

  /** A thread had to be ended over an attachment. Gives what that has answered in the decision that was under way. */
  charge(attachment: number): Standing {
    this.#offences.charge(attachment, Date.now());
    const wall = this.config.attachments[attachment]?.limits.wall;
    const message = `took longer than its ${wall} ms and did not stop: its thread was ended`;
    return [attachment, { code: "OUT_OF_TIME", message, place: null }];
  }

  /** Those that are not asked: over which threads were ended in this decision, and which are out for the present. */
  standing(overdue: readonly Standing[]): readonly Standing[] {
    return standing(this.#offences, overdue);
  }

  /** For a thread that finds out by itself who is out, with {@link suspended}. */
  get offences(): Suspensions {
    return this.#offences.records;
  }
}

export type Suspensions = readonly (readonly [attachment: number, offence: Offence])[];

/** As {@link Succession.standing}, in the thread that decides. */
export function suspended(suspensions: Suspensions): (overdue: readonly Standing[]) => readonly Standing[] {
  const offences = new Offences<number>(SENTENCE, suspensions);
  return suspensions.length === 0 ? (overdue) => overdue : (overdue) => standing(offences, overdue);
}

function standing(offences: Offences<number>, overdue: readonly Standing[]): readonly Standing[] {
  const out = offences
    .out(Date.now())
    .filter(([attachment]) => overdue.every(([one]) => one !== attachment))
    .map(([attachment, offence]): Standing => [attachment, suspension(offence)]);
  return [...out, ...overdue];
}

function suspension({ count, until }: Offence): Fault {
  const message = `was ended with its thread ${count} times: not asked before ${new Date(until).toISOString()}`;
  return { code: "SUSPENDED", message, place: null };
}
