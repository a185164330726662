import type { HookName } from "../../hooks/catalogue.js";
import type { SubjectOf } from "../../hooks/subject.js";
import { NR } from "../../sys/numbers.js";
import type { GateDenial, Verdict } from "../decisions/gate-decisions.js";
import type { GateSettings } from "../decisions/settings.js";
import type { CallRecording } from "../task/blocking/call-recording.js";
import type { Analyst } from "../task/blocking/load-analysis.js";
import type { Notification } from "../task/blocking/notification.js";
import { type Caller, capabilityNames } from "../task/caller.js";
import type { Task } from "../task/task.js";
import { commandRow } from "./command.js";
import { CallerExited, CallFailure, type DeniedObject, type DeniedSubject, deny, type RuleDenial } from "./failure.js";
import type { Listener } from "./listener.js";
import { Operation } from "./operation.js";
import { GATE_RULES, type GateRule } from "./rules.js";
import type { CallServices } from "./services.js";

/** One system call that waits at the gate, and its caller. */
export class Call {
  #decided = 0;
  #analysed = 0;
  #hook: HookName = "bpf";
  #subject: DeniedSubject | (() => DeniedSubject) | null = null;

  /** The operation that the call belongs to. */
  readonly operation: Operation;

  /**
   * `recording` holds the results of earlier turns, in which other threads served the same call. It is null in the
   * first turn.
   */
  constructor(
    readonly notification: Notification,
    readonly listener: Listener,
    readonly task: Task,
    readonly caller: Caller,
    private readonly services: CallServices,
    private readonly recording: CallRecording | null,
  ) {
    this.operation = new Operation(notification, task.tgid, services);
  }

  get settings(): GateSettings {
    return this.services.settings;
  }

  /** The low 32 bits of an argument register, which the kernel uses for an int or unsigned int. */
  word(index: number): number {
    return this.notification.word(index);
  }

  long(index: number): bigint {
    return this.notification.long(index);
  }

  /** The name of the bpf(2) command; empty for other system calls. */
  get commandName(): string {
    return this.notification.call === NR.bpf ? (commandRow(this.word(0))?.name ?? "") : "";
  }

  /**
   * Ends the call if the caller has exited. Check this after the last copy and before the first decision: see
   * {@link Task.stillWaits}.
   */
  requireCaller(): void {
    if (!this.task.stillWaits) throw new CallerExited();
  }

  /**
   * Whether an earlier turn has made the next decision of this call. Checks that precede that decision passed in that
   * turn.
   */
  get wasDecided(): boolean {
    return (this.recording?.verdicts.length ?? 0) > this.#decided;
  }

  /** Records that a program was loaded for the task, whether or not the task gets it. */
  loaded(id: number): void {
    this.services.throttle.loaded(id, this.listener.containerKey);
  }

  serves(hook: HookName): boolean {
    return this.services.decisions.serves(hook);
  }

  /** Returns the analyst of the call's next analysis of a load. */
  nextAnalyst(): Analyst {
    return this.task.analyst(this.#analysed++);
  }

  /**
   * Asks policies, and throws a CallFailure if they deny the call: the denial is in the log then. `missingCapabilities`
   * is the set of capabilities that the task needs and does not have (see {@link grantable}).
   */
  decide<H extends HookName>(hook: H, subject: SubjectOf<H>, missingCapabilities = 0n): Verdict {
    const { decisions } = this.services;
    const names = missingCapabilities === 0n ? undefined : capabilityNames(missingCapabilities);
    return allowing(
      this.#once(() =>
        decisions.decide(hook, subject, this.caller.current, this.operation.id, this.recording?.overdue, names),
      ),
    );
  }

  /** Whether denials are recorded and not enforced. */
  get isDryRun(): boolean {
    return this.settings.audit;
  }

  /**
   * Sets the hook and the subject that denials by the gate have in the log from here on. Before the first call of it
   * they are hook `bpf` and the name of the command. A function as subject is called at a denial.
   */
  isAbout(hook: HookName, subject: DeniedSubject | (() => DeniedSubject)): void {
    this.#hook = hook;
    this.#subject = subject;
  }

  /**
   * Records a denial by the gate as a decision in the log. Returns the errno of the reply, as a positive number, which
   * differs from the rule's if the denial could not be logged.
   */
  record(errno: number, { rule, reason, repeatKey, about = this.#deniedObject }: RuleDenial): number {
    const denied = { verdict: -errno, rule, reason };
    const { verdict } = this.#once(() => {
      if (repeatKey === undefined || this.listener.objects.isDeniedFirst(`${rule} ${repeatKey}`))
        return this.#record(about, denied, null);
      this.services.tally.add("repeats");
      return { verdict: -errno, answered: false, delegated: false, freezes: false, outcome: null };
    });
    // #once may return a decision of an earlier turn, and that may be an allowing one: the call is denied anyway
    return verdict < 0 ? -verdict : errno;
  }

  /** Denies the call like {@link deny}; in audit it only records the denial, and the call goes on. */
  denyUnlessAudit(rule: GateRule, reason: string): void {
    if (!this.isDryRun) deny(rule, reason);
    this.record(GATE_RULES[rule].errno, { rule, reason });
  }

  get #deniedObject(): DeniedObject {
    const subject = this.#subject;
    if (subject === null) return { hook: "bpf", subject: { name: this.commandName } };
    return { hook: this.#hook, subject: typeof subject === "function" ? subject() : subject };
  }

  /** Returns the needed capabilities that the task lacks, or 0 if no attachment can grant any. */
  grantable(needed: bigint): bigint {
    return this.services.decisions.delegates ? this.missing(needed) : 0n;
  }

  /**
   * Returns the needed capabilities that the task lacks, one bit each. A warm-up call lacks none, so that it runs all
   * code up to the system call.
   */
  missing(needed: bigint): bigint {
    if (this.listener.isWarmUp) return 0n;
    const identity = this.caller.identity("none");
    return identity === null ? 0n : needed & ~identity.capabilities;
  }

  /** Whether an attachment in scope at this hook freezes maps. */
  freezes(hook: HookName): boolean {
    return this.services.decisions.freezes(hook, this.caller.current);
  }

  /** Whether an attachment in scope at this hook may grant the task capabilities that it lacks. */
  mayGrant(hook: HookName, missingCapabilities: bigint): boolean {
    return missingCapabilities !== 0n && this.services.decisions.mayGrant(hook, this.caller.current);
  }

  /** Like {@link mayGrant}, but includes attachments in audit, which only record that they would grant. */
  wouldGrant(hook: HookName, missingCapabilities: bigint): boolean {
    return missingCapabilities !== 0n && this.services.decisions.wouldGrant(hook, this.caller.current);
  }

  /** Allows a loader's feature probe without asking policies. It is denied only if that cannot be logged. */
  passProbe(subject: DeniedSubject, probe: string): Verdict {
    return allowing(this.#once(() => this.#record({ hook: "bpf_prog_load", subject }, null, probe)));
  }

  #record({ hook, subject }: DeniedObject, denial: GateDenial | null, probe: string | null): Verdict {
    const { decisions } = this.services;
    const { name, digest = "", id } = subject;
    const named = { name: name === "" ? UNNAMED : name, digest, ...(id === undefined ? {} : { id }) };
    const { current } = this.caller;
    return decisions.record({ hook, subject: named, denial, probe, current, operation: this.operation.id });
  }

  /** Makes the next decision of this call, or returns it from the recording if an earlier turn made it. */
  #once(decide: () => Verdict): Verdict {
    const known = this.recording?.verdicts[this.#decided];
    this.#decided += 1;
    if (known !== undefined) return known;
    const verdict = decide();
    this.services.watch.decided(verdict);
    return verdict;
  }
}

/** Throws a CallFailure for a verdict that denies. */
function allowing(verdict: Verdict): Verdict {
  if (verdict.verdict < 0) throw new CallFailure(-verdict.verdict);
  return verdict;
}

/** The name in the log of a subject whose task gave it no name. */
const UNNAMED = "(unnamed)";
