import type { HookName } from "../../hooks/catalogue.js";
import type { SubjectOf } from "../../hooks/subject.js";
import type { Current } from "../../policy/model/current.js";

/** A request for a decision. */
export interface DecisionRequest<H extends HookName = HookName> {
  readonly hook: H;
  readonly subject: SubjectOf<H>;
  readonly current: Current;
  /** Capabilities that the operation requires and the task lacks. */
  readonly missingCapabilities?: readonly string[];
  /** See {@link Decision.operation}; null unless given. */
  readonly operation?: string;
  /** Milliseconds since the epoch: the hook's time, at which certificates are checked; by default now. */
  readonly time?: number | undefined;
}
