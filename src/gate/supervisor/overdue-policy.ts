import type { DecisionWatch } from "../../engine/handover/watch.js";
import { ObservedWait } from "./observed-wait.js";

/** For how long a thread was observed in a policy that exceeded its time limit: see {@link ObservedWait}. */
export class OverduePolicy {
  readonly #observed = new ObservedWait();

  /** Adds a look at `now`, in milliseconds of monotonic(). Returns milliseconds; 0 if no policy exceeds its limit. */
  add(decisions: DecisionWatch, now: number): number {
    const policy = decisions.look();
    return this.#observed.add(policy === null || now < policy.deadline ? null : { first: policy.deadline }, now);
  }
}
