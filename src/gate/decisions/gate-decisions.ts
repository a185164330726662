import type { Engine } from "../../engine/decision/engine.js";
import type { DecisionRequest } from "../../engine/decision/request.js";
import type { UnaskedSubject } from "../../engine/decision/unasked.js";
import type { SkippedAttachment } from "../../engine/handover/suspension-list.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import type { SubjectOf } from "../../hooks/subject.js";
import type { Current } from "../../policy/model/current.js";
import type { Outcome } from "./tally.js";

/** Makes the gate's decisions with the engine, in the decision thread. Each is logged before it takes effect. */
export class GateDecisions {
  constructor(
    private readonly engine: Engine,
    /** Receives each decision, for the summary, metrics and `top`. */
    private readonly tell: (decision: Decision) => void,
    /** Returns the attachments to skip: those that timed out in this call, and those suspended for this caller. */
    private readonly skipped: (overdue: readonly SkippedAttachment[], caller: Current) => readonly SkippedAttachment[],
    /** Receives what was decided, for the shadow; null if there is none. */
    private readonly shadow: { add(request: DecisionRequest, decision: Decision): void } | null = null,
  ) {}

  /** Whether a decision on this hook can contain a denial or an audit denial. If not, no policy needs to be asked. */
  serves(hook: HookName): boolean {
    return this.engine.serves(hook);
  }

  /** Whether any attachment may grant capabilities, so that the task's missing capabilities must be found. */
  get delegates(): boolean {
    return this.engine.delegates;
  }

  /** Whether an attachment in scope at this hook freezes maps. */
  freezes(hook: HookName, current: Current): boolean {
    return this.engine.freezer(hook, current) !== null;
  }

  /** Whether an enforcing attachment in scope at this hook may grant a task capabilities that it lacks. */
  mayGrant(hook: HookName, current: Current): boolean {
    return this.engine.granting(hook, current) !== null;
  }

  /** Like {@link mayGrant}, but includes attachments in audit, which only record that they would grant. */
  wouldGrant(hook: HookName, current: Current): boolean {
    return this.engine.hasGranting(hook, current);
  }

  /**
   * Decides on a subject. `overdue`: attachments whose timeout terminated a thread in this call; they are not asked
   * again. `missingCapabilities`: capabilities that the operation requires and the task does not have.
   */
  decide<H extends HookName>(
    hook: H,
    subject: SubjectOf<H>,
    current: Current,
    operation: string,
    overdue: readonly SkippedAttachment[] = NOBODY,
    missingCapabilities: readonly string[] = NOTHING,
  ): Verdict {
    const request = { hook, subject, current, missingCapabilities, operation };
    const decision = this.engine.decide(request, this.skipped(overdue, current));
    this.shadow?.add(request as DecisionRequest, decision);
    this.tell(decision);
    const { verdict, answers, grants } = decision;
    // a dry run grants and freezes nothing; and if logging failed, `grants` is set although the verdict denies
    const granted = verdict === 0 && decision.mode === "enforce" ? grants : undefined;
    return {
      verdict,
      answered: answers.some(({ mode, fault }) => mode === "enforce" && fault === null),
      delegated: granted?.delegation?.mode === "enforce",
      freezes: granted?.freeze !== undefined,
      outcome: outcomeOf(decision),
    };
  }

  /** Records a decision that no policy made. If it cannot be logged, the operation is denied. */
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
      ...(probe === null ? {} : { loader_probe: probe }),
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

function outcomeOf({ enforced_verdict, loader_probe }: Decision): Outcome {
  if (enforced_verdict < 0) return "denied";
  return loader_probe === undefined ? "allowed" : "probes";
}

const NOBODY: readonly SkippedAttachment[] = [];
const NOTHING: readonly never[] = Object.freeze([]);

export interface Verdict {
  /** 0 or a negative errno. */
  readonly verdict: number;
  /**
   * Whether an enforcing attachment answered without a fault. The configuration's default alone never allows a program
   * that calls bpf(2), a run of such a program, or a program that the kernel rewrote.
   */
  readonly answered: boolean;
  /** Whether an enforcing attachment grants the task its missing capabilities. */
  readonly delegated: boolean;
  /** Whether an enforcing attachment requires that read-only maps are frozen (BPF_MAP_FREEZE). */
  readonly freezes: boolean;
  /** Follows from the enforced verdict. Null for a repeated denial, which is neither logged nor counted again. */
  readonly outcome: Outcome | null;
}

/** A denial by a rule of the gate itself: see call/rules.ts. */
export interface GateDenial {
  /** Negative errno. */
  readonly verdict: number;
  readonly rule: string;
  readonly reason: string;
}

/** A decision that no policy made: a denial by the gate, or the permission of a loader's probe. */
export interface GateEvent {
  readonly hook: HookName;
  readonly subject: UnaskedSubject;
  readonly denial: GateDenial | null;
  readonly probe: string | null;
  readonly current: Current;
  readonly operation: string;
}
