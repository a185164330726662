import type { HookName } from "../hooks/catalogue.js";
import type { SubjectOf } from "../hooks/subject.js";
import type { Current } from "../policy/current.js";

/** What the gate asks: the engine, in the gate's own thread. */
export interface Judge {
  /** Whether a decision on this hook could be anything but 0 for anybody. */
  serves(hook: HookName): boolean;
  /** A verdict, logged before it is given back. */
  decide<H extends HookName>(hook: H, subject: SubjectOf<H>, current: Current): Verdict;
  /** What the gate itself refused, or let through unasked, for the log. */
  record(event: GateEvent): void;
}

export interface Verdict {
  /** 0 or a negative errno. */
  readonly verdict: number;
  /** Whether an enforcing attachment was asked: the configuration's default alone does not allow what may do anything. */
  readonly asked: boolean;
}

/** Something that no policy decided. */
export interface GateEvent {
  readonly hook: HookName;
  /** `probe`: let through before policies. `refused`: by the gate. `stalled`: the task made the gate wait and was killed. */
  readonly outcome: "probe" | "refused" | "stalled";
  readonly verdict: number;
  readonly subject: string;
  readonly reason: string;
  readonly current: Current;
}
