import type { SkippedAttachment } from "../../engine/handover/suspension-list.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { SubjectOf } from "../../hooks/subject.js";
import type { Current } from "../../policy/model/current.js";
import type { GateEvent, Verdict } from "../decisions/gate-decisions.js";
import type { GateSettings } from "../decisions/settings.js";
import type { Count } from "../decisions/tally.js";
import type { LoadThrottle } from "./load-throttle.js";
import type { Retries } from "./retries.js";

/** What a call uses of its gate. All calls share one object. */
export interface CallServices {
  readonly decisions: DecisionMaker;
  readonly settings: GateSettings;
  /** Stores the verdicts of the current call, for a thread that takes the call over. */
  readonly watch: { decided(verdict: Verdict): void; readonly verdicts: readonly Verdict[] };
  readonly tally: { add(count: Count): void };
  readonly retries: Pick<Retries, "operationOf" | "denied">;
  readonly throttle: Pick<LoadThrottle, "loaded">;
}

/** Makes and records decisions, and tells what the attachments in scope may do. See {@link GateDecisions}. */
export interface DecisionMaker {
  /** Whether any attachment may grant capabilities, so that the task's missing capabilities must be found. */
  readonly delegates: boolean;

  /** Whether a decision on this hook can contain a denial or an audit denial. If not, no policy needs to be asked. */
  serves(hook: HookName): boolean;

  decide<H extends HookName>(
    hook: H,
    subject: SubjectOf<H>,
    current: Current,
    operation: string,
    overdue?: readonly SkippedAttachment[],
    missingCapabilities?: readonly string[],
  ): Verdict;

  /** Records a decision that no policy made. If it cannot be logged, the verdict is a denial. */
  record(event: GateEvent): Verdict;

  /** Whether an attachment in scope at this hook freezes maps. */
  freezes(hook: HookName, current: Current): boolean;

  /** Whether an enforcing attachment in scope at this hook may grant a task capabilities that it lacks. */
  mayGrant(hook: HookName, current: Current): boolean;

  /** Like {@link mayGrant}, but includes attachments in audit, which only record that they would grant. */
  wouldGrant(hook: HookName, current: Current): boolean;
}
