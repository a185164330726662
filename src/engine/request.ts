import type { HookName } from "../hooks/catalogue.js";
import type { SubjectOf } from "../hooks/subject.js";
import type { Current } from "../policy/current.js";

/** What is asked. `time` is the hook's time, at which certificates are judged: now, unless it is given. */
export interface DecisionRequest<H extends HookName = HookName> {
  readonly hook: H;
  readonly subject: SubjectOf<H>;
  readonly current: Current;
  /** Capabilities that the task would need for it and lacks. */
  readonly lacking?: readonly string[];
  /** See {@link Decision.operation}; null unless given. */
  readonly operation?: string;
  /** Milliseconds since the epoch. */
  readonly time?: number | undefined;
}
