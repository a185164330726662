import type { Blocked } from "../task/blocking/watch.js";
import { POLL_INTERVAL } from "./next-action.js";

/**
 * Measures for how long a thread was observed in the same wait. A gap in which the watcher itself did not run counts as
 * one poll interval: if neither of the two was scheduled, the task did not cause the wait.
 */
export class ObservedWait {
  #first = 0;
  #polledAt = 0;
  #observed = 0;

  /** Adds a poll at `now`, in milliseconds of monotonic(). Returns milliseconds. */
  add(blocked: Pick<Blocked, "first"> | null, now: number): number {
    const before = blocked?.first === this.#first ? this.#polledAt : (blocked?.first ?? now);
    if (blocked?.first !== this.#first) this.#observed = 0;
    this.#observed += Math.max(0, Math.min(now - before, POLL_INTERVAL));
    this.#first = blocked?.first ?? 0;
    this.#polledAt = now;
    return this.#observed;
  }
}
