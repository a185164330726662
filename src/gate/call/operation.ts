import type { Verdict } from "../decisions/gate-decisions.js";
import { OUTCOMES, type Outcome } from "../decisions/tally.js";
import type { Notification } from "../task/blocking/notification.js";
import type { Attempt } from "./retries.js";
import type { CallServices } from "./services.js";

/** The operation that a call belongs to: a system call and a loader's retries of it after a denial. */
export class Operation {
  #attempt: (() => Attempt) | null = null;
  /** The operation that the call retries; null if it is not a retry. */
  #repeated: string | null = null;
  #id: string | null = null;

  constructor(
    private readonly notification: Notification,
    private readonly tgid: number,
    private readonly services: Pick<CallServices, "retries" | "tally" | "watch">,
  ) {}

  /** The operation's id in the log. */
  get id(): string {
    this.#id ??= this.#repeated ?? this.notification.operation;
    return this.#id;
  }

  /** Says what the call attempts, so that a retry of a denied attempt is found. Call this before the first decision. */
  attempts(attempt: () => Attempt): void {
    this.#attempt = attempt;
    this.#repeated = this.services.retries.operationOf(this.tgid, attempt);
    this.#id = null;
  }

  /** Counts the operation, after its last decision. A retry of a denied attempt has been counted already. */
  count(): void {
    const { watch, tally, retries } = this.services;
    const outcome = worstOf(watch.verdicts);
    if (outcome === null) return;
    if (outcome === "denied" && this.#attempt !== null) retries.denied(this.tgid, this.#attempt(), this.id);
    if (outcome !== "denied" || this.#repeated === null) tally.add(outcome);
  }
}

/** The most severe outcome of an operation's decisions; null if the operation is not counted. */
function worstOf(verdicts: readonly Verdict[]): Outcome | null {
  let worst = -1;
  let isUncounted = false;
  for (const { outcome } of verdicts) {
    if (outcome === null) isUncounted = true;
    else worst = Math.max(worst, OUTCOMES.indexOf(outcome));
  }
  const outcome = OUTCOMES[worst] ?? null;
  return isUncounted && outcome !== "denied" ? null : outcome;
}
