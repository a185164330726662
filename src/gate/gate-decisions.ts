import type { Engine, UnaskedSubject } from "../engine/engine.js";
import type { SkippedAttachment } from "../engine/thread-handover-state.js";
import type { HookName } from "../hooks/catalogue.js";
import type { Decision } from "../hooks/decision.js";
import type { SubjectOf } from "../hooks/subject.js";
import type { Current } from "../policy/current.js";
import type { Outcome } from "./tally.js";

/** Makes the gate's decisions with the engine, in the decision thread. Each is logged before it has an effect. */
export class GateDecisions {
  constructor(
    readonly engine: Engine,
    /** Receives each decision: for a summary, metrics and `top`. */
    private readonly tell: (decision: Decision) => void,
    /** Adds the suspended attachments to those that are out of time in one decision. */
    private readonly skipped: (overdue: readonly SkippedAttachment[]) => readonly SkippedAttachment[],
  ) {}

  /** Whether a decision on this hook could have a denial. */
  serves(hook: HookName): boolean {
    return this.engine.serves(hook);
  }

  /** Whether a task's want of capabilities matters to anybody. */
  get delegates(): boolean {
    return this.engine.delegates;
  }

  /**
   * `overdue` are attachments that have answered, by having a thread ended; `lacking` capabilities that the task would
   * need and does not have.
   */
  decide<H extends HookName>(
    hook: H,
    subject: SubjectOf<H>,
    current: Current,
    operation: string,
    overdue: readonly SkippedAttachment[] = NOBODY,
    lacking: readonly string[] = NOTHING,
  ): Verdict {
    const decision = this.engine.decide({ hook, subject, current, lacking, operation }, this.skipped(overdue));
    this.tell(decision);
    const { verdict, answers, grants } = decision;
    // a dry run lends and freezes nothing; a decision that could not be logged still has its grants
    const granted = verdict === 0 && decision.mode === "enforce" ? grants : undefined;
    return {
      verdict,
      answered: answers.some(({ mode, fault }) => mode === "enforce" && fault === null),
      delegated: granted?.delegation?.mode === "enforce",
      freezes: granted?.freeze !== undefined,
      outcome: outcomeOf(decision),
    };
  }

  /** Records a decision that no policy made. The operation is denied if this cannot be logged. */
  record({ hook, subject, denial, probe, current, operation }: GateEvent): Verdict {
    const denied_by =
      denial === null
        ? null
        : {
            attachment: null,
            verdict: denial.verdict,
            code: "DENIED_BY_GATE" as const,
            rule: denial.rule,
            reason: `gate: ${denial.reason}`,
          };
    const decision = this.engine.record({
      hook,
      subject,
      current,
      operation,
      denied_by,
      ...(probe === null ? {} : { probe }),
    });
    this.tell(decision);
    return {
      verdict: decision.verdict,
      answered: false,
      delegated: false,
      freezes: false,
      outcome: outcomeOf(decision),
    };
  }
}

function outcomeOf({ enforced_verdict, probe }: Decision): Outcome {
  if (enforced_verdict < 0) return "denied";
  return probe === undefined ? "allowed" : "probes";
}

const NOBODY: readonly SkippedAttachment[] = [];
const NOTHING: readonly never[] = Object.freeze([]);

export interface Verdict {
  /** 0 or a negative errno. */
  readonly verdict: number;
  /**
   * Whether an enforcing attachment itself answered: the configuration's default alone never allows a program that may
   * do anything.
   */
  readonly answered: boolean;
  /** Whether an enforcing attachment lends the task what it lacks. */
  readonly delegated: boolean;
  /** Whether an enforcing attachment has read-only maps frozen. */
  readonly freezes: boolean;
  /** By the enforced verdict; null for a denial that repeats one in the log, and is not counted with the operations. */
  readonly outcome: Outcome | null;
}

/** A denial by a rule of the gate's own. */
export interface GateDenial {
  /** Negative errno. */
  readonly verdict: number;
  readonly rule: string;
  readonly reason: string;
}

/** A decision that no policy made: a denial by the gate, or a probe. */
export interface GateEvent {
  readonly hook: HookName;
  readonly subject: UnaskedSubject;
  readonly denial: GateDenial | null;
  readonly probe: string | null;
  readonly current: Current;
  readonly operation: string;
}
