import { monotonic } from "../../monotonic.js";
import type { Fault } from "../../policy/model/outcome.js";
import { type BackoffEntry, type BackoffPolicy, BackoffTable } from "./backoff-table.js";
import type { Principal } from "./principal.js";

/** An attachment, by its number in the configuration, that is not asked in a decision and returns a fault. */
export type SkippedAttachment = readonly [attachment: number, fault: Fault];

/**
 * For a principal whose inputs had a thread terminated, or cost a runtime or module. The first time has no consequence;
 * from the second on, the attachment returns a fault to this principal without being asked until the suspension ends.
 */
const OWN: BackoffPolicy = { free: 1, first: 1000, longest: 10 * 60 * 1000 };
/**
 * For an attachment, over all principals: beyond the free ones, each principal with a failure is suspended at once, so
 * that many of them do not have threads replaced all the time. One without a failure is always asked.
 */
const OF_ALL: BackoffPolicy = { free: 8, first: 1000, longest: 60 * 1000 };

export interface Suspensions {
  /** Keys are those of {@link keyOf}. */
  readonly principals: readonly (readonly [key: string, entry: BackoffEntry])[];
  readonly attachments: readonly (readonly [attachment: number, entry: BackoffEntry])[];
}

export const NO_SUSPENSIONS: Suspensions = { principals: [], attachments: [] };

/**
 * Counts failures of attachments, and suspends them for the principals whose inputs caused the failures. A failure that
 * no input caused, while a policy was being prepared, counts for everybody.
 */
export class SuspensionList {
  readonly #principals: BackoffTable<string>;
  readonly #attachments: BackoffTable<number>;

  constructor({ principals, attachments }: Suspensions = NO_SUSPENSIONS) {
    this.#principals = new BackoffTable(OWN, principals);
    this.#attachments = new BackoffTable(OF_ALL, attachments);
  }

  /** `principal` is null if no input caused the failure. */
  recordFailure(attachment: number, principal: Principal | null): void {
    const now = monotonic();
    this.#principals.recordFailure(keyOf(attachment, principal), now);
    this.#attachments.recordFailure(attachment, now);
  }

  /** Attachments that are not asked: timed out in this decision, or suspended for this principal. */
  skipped(overdue: readonly SkippedAttachment[], principal: Principal): readonly SkippedAttachment[] {
    if (this.#attachments.size === 0) return overdue;
    const now = monotonic();
    const suspended: SkippedAttachment[] = [];
    for (const [attachment, ofAll] of this.#attachments.records) {
      if (overdue.some(([one]) => one === attachment)) continue;
      const own = this.#principals.of(keyOf(attachment, principal));
      const entries = [own, this.#principals.of(keyOf(attachment, null)), own && ofAll];
      const last = entries.reduce((a, b) => ((b?.until ?? 0) > (a?.until ?? 0) ? b : a));
      if (last !== null && last.until > now) suspended.push([attachment, suspension(last)]);
    }
    return [...suspended, ...overdue];
  }

  /** Attachments with failures, suspended or not. */
  get failing(): ReadonlySet<number> {
    return new Set(this.#attachments.records.map(([attachment]) => attachment));
  }

  /** All entries, for another thread. */
  get records(): Suspensions {
    return { principals: this.#principals.records, attachments: this.#attachments.records };
  }
}

function keyOf(attachment: number, principal: Principal | null): string {
  return principal === null ? `${attachment}` : `${attachment} ${principal}`;
}

function suspension({ count, until }: BackoffEntry): Fault {
  const again = new Date(Date.now() + until - monotonic()).toISOString();
  const message = `lost its thread, module or runtime ${count} times: suspended for this caller until ${again}`;
  return { code: "SUSPENDED", message, place: null };
}
