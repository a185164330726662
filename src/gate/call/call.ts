import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { ProgramSubject, SubjectOf } from "../../hooks/subject.js";
import type { GateDecisions, GateDenial, Verdict } from "../gate-decisions.js";
import type { Facts } from "../load/facts.js";
import type { LiveLoad } from "../load/load.js";
import type { GateSettings } from "../settings.js";
import { type Impersonator, type NamespaceScope, OUT_OF_REACH } from "../sys/credentials.js";
import { NR } from "../sys/numbers.js";
import { stillWaits } from "../sys/seccomp.js";
import { OUTCOMES, type Outcome, type Tally } from "../tally.js";
import type { Memory, Word } from "../threads/blocking-op.js";
import type { CallRecording } from "../threads/call-recording.js";
import type { Watch } from "../threads/watch.js";
import { Attr, MAX_ATTR } from "./attr.js";
import { commandRow } from "./command.js";
import { type Caller, capabilityNames } from "./current.js";
import type { Listener } from "./listener.js";
import type { Notification } from "./notification.js";
import type { Attempt, Retries } from "./retries.js";
import { GATE_RULES, type GateRule, type Obstacle } from "./rules.js";
import type { Task } from "./task.js";

/**
 * What becomes of a call: a result or negative errno; an fd to be put into the task; the kernel's own doing, which only
 * what registers decided may be left to; or nothing, because the task is gone.
 */
export type Answer = { readonly result: number } | IssuedFd | "continue" | "gone";

/** The gate's fd, and what is to be remembered once the task has it. The fd is closed after. */
export interface IssuedFd {
  readonly fd: number;
  readonly onIssued: () => void;
}

/**
 * The reply to a call that the gate does not carry out: an errno, or in audit `continue`, so that the kernel executes
 * it.
 */
export type Denied = { readonly result: number } | "continue";

/** What a denial by the gate is about. */
export interface DeniedSubject {
  readonly name: string;
  /** SHA-256 where it is known. */
  readonly digest?: string;
  /** The kernel's id of an object. */
  readonly id?: number;
}

const NONE: readonly Memory[] = [];

/** What a gate provides to every call. */
export interface CallServices {
  readonly decisions: GateDecisions;
  readonly facts: Facts;
  readonly settings: GateSettings;
  readonly impersonator: Impersonator;
  readonly watch: Watch;
  readonly tally: Tally;
  readonly retries: Retries;
  /** Whether all listeners are of one container, or command: nobody else has to wait then. */
  alone(): boolean;
}

/** One system call that waits at the gate, and its caller. */
export class Call {
  #decided = 0;
  #analysed = 0;
  #attempt: (() => Attempt) | null = null;
  /** The operation of which this call is a retry. */
  #repeated: string | null = null;
  #operation: string | null = null;

  /** `recording`: of the call's earlier turns; null in its first turn. */
  constructor(
    readonly notification: Notification,
    readonly listener: Listener,
    readonly task: Task,
    readonly caller: Caller,
    private readonly services: CallServices,
    private readonly recording: CallRecording | null,
  ) {}

  get settings(): GateSettings {
    return this.services.settings;
  }

  /** An argument register as the kernel takes an int or unsigned int: its low 32 bits. */
  word(index: number): number {
    return this.notification.word(index);
  }

  long(index: number): bigint {
    return this.notification.long(index);
  }

  /**
   * Whether all that was copied so far was the caller's: its task id cannot have become another's while it waits
   * (seccomp_unotify(2)). To be asked after the last copy and before anything is decided on it.
   */
  get stillWaits(): boolean {
    return this.listener.isWarmUp || stillWaits(this.listener.fd, this.notification.bytes);
  }

  /**
   * Copies this bpf(2)'s attr, of which the gate knows `room` bytes. What follows them must be zero, as the kernel asks
   * for fields newer than itself (bpf_check_uarg_tail_zero).
   */
  attr(room: number): Attr | Denied {
    const size = this.word(2);
    if (size > MAX_ATTR) return this.asKernel(-ERRNO.E2BIG);
    const bytes = this.task.read(this.long(1), size);
    if (bytes === null) return this.#unread();
    for (let at = room; at < size; at += 1) if (bytes[at] !== 0) return this.#denyAttr(at);
    return new Attr(size, room, bytes);
  }

  #denyAttr(at: number): Denied {
    const name = commandRow(this.word(0))?.name ?? "";
    return this.deny(
      "attr_size",
      "bpf",
      { name },
      `the gate does not know byte ${at} of its bpf_attr, which is not zero`,
    );
  }

  /** Names the operation in the log. */
  get operation(): string {
    this.#operation ??= this.#repeated ?? this.notification.operation;
    return this.#operation;
  }

  /**
   * Sets the call's attempt: a retry of a denied attempt belongs to the same operation. Call this before the first
   * decision.
   */
  attempts(attempt: () => Attempt): void {
    this.#attempt = attempt;
    this.#repeated = this.services.retries.operationOf(this.task.tgid, attempt);
    this.#operation = null;
  }

  /** Counts the operation, after its last decision. A retry of a denied attempt has been counted already. */
  count(): void {
    const { watch, tally, retries } = this.services;
    const outcome = worstOf(watch.verdicts);
    if (outcome === null) return;
    if (outcome === "denied" && this.#attempt !== null) retries.denied(this.task.tgid, this.#attempt(), this.operation);
    if (outcome !== "denied" || this.#repeated === null) tally.add(outcome);
  }

  /** Whether an earlier turn has decided on it: what that found was allowed then. */
  get wasDecided(): boolean {
    return (this.recording?.verdicts.length ?? 0) > 0;
  }

  serves(hook: HookName): boolean {
    return this.services.decisions.serves(hook);
  }

  /** What is found out about a load, or in one line why it cannot be read; the kernel would refuse that, too. */
  factsOf(load: LiveLoad): ProgramSubject | string {
    try {
      const analyst = this.task.analyst(this.#analysed++);
      return this.services.facts.of(load, this.listener.objects, this.task.tgid, analyst);
    } catch (error) {
      if (error instanceof CountersignError) return error.toString();
      throw error;
    }
  }

  /** `lacking`: capabilities that the task would need and does not have, as {@link lacking} has it. */
  decide<H extends HookName>(hook: H, subject: SubjectOf<H>, lacking = 0n): Verdict {
    const { decisions } = this.services;
    const names = lacking === 0n ? undefined : capabilityNames(lacking);
    return this.#once(() =>
      decisions.decide(hook, subject, this.caller.current, this.operation, this.recording?.overdue, names),
    );
  }

  /** Whether denials are recorded and not enforced. */
  get isDryRun(): boolean {
    return this.settings.audit;
  }

  /**
   * Answers with an errno that the kernel would give as well, so that it is no denial by the gate. In audit the kernel
   * executes the call and returns its own errno, in case the gate is mistaken.
   */
  asKernel(errno: number): Denied {
    return this.isDryRun ? "continue" : { result: errno };
  }

  /**
   * Denies a call by a rule of the gate's own, which no policy can lift. The denial is a decision in the log. In audit
   * the kernel executes the call, and may read the task's memory again: nothing is enforced there.
   */
  deny(rule: GateRule, hook: HookName, subject: DeniedSubject, reason: string): Denied {
    const denial = { verdict: -GATE_RULES[rule].errno, rule, reason };
    const { verdict } = this.#once(() => this.#record(hook, subject, denial, null));
    // an earlier turn may have decided something else here, which allows nothing
    return this.isDryRun ? "continue" : { result: verdict < 0 ? verdict : denial.verdict };
  }

  /** The same for an obstacle. */
  denyFor({ rule, reason }: Obstacle, hook: HookName, subject: DeniedSubject): Denied {
    return this.deny(rule, hook, subject, reason);
  }

  /**
   * Denies an operation that tasks may repeat many times. For the tasks of one container, or of one command, the first
   * denial of each `what` is a decision in the log, and later ones are counted.
   */
  denyRepeatable(rule: GateRule, hook: HookName, subject: DeniedSubject, reason: string, what: string): Denied {
    const denial = { verdict: -GATE_RULES[rule].errno, rule, reason };
    const { verdict } = this.#once(() => {
      if (this.listener.objects.isDeniedFirst(`${rule} ${what}`)) return this.#record(hook, subject, denial, null);
      this.services.tally.add("repeats");
      return { verdict: denial.verdict, answered: false, delegated: false, freezes: false, outcome: null };
    });
    return this.isDryRun ? "continue" : { result: verdict };
  }

  /** Of the capabilities that something needs, those that the task lacks, where an attachment may lend any. */
  lacking(needed: bigint): bigint {
    return this.services.decisions.delegates ? this.missing(needed) : 0n;
  }

  /**
   * Of the capabilities that something needs, those that the task lacks. A warm-up lacks none, so that it goes as far
   * as the kernel.
   */
  missing(needed: bigint): bigint {
    if (this.listener.isWarmUp) return 0n;
    const identity = this.caller.identity("none");
    return identity === null ? 0n : needed & ~identity.capabilities;
  }

  /** Whether an attachment in scope at a hook has maps frozen. */
  freezes(hook: HookName): boolean {
    return this.services.decisions.engine.freezer(hook, this.caller.current) !== null;
  }

  /** Whether an attachment may lend this task, at a hook, capabilities that it lacks. */
  mayLend(hook: HookName, lacking: bigint): boolean {
    return lacking !== 0n && this.services.decisions.engine.lender(hook, this.caller.current) !== null;
  }

  /** The same, or record in audit that it would. */
  wouldLend(hook: HookName, lacking: bigint): boolean {
    return lacking !== 0n && this.services.decisions.engine.hasLenders(hook, this.caller.current);
  }

  /** Allows a loader's feature probe without asking policies: 0, or a denial if it could not be logged. */
  passProbe(subject: DeniedSubject, probe: string): Verdict {
    return this.#once(() => this.#record("bpf_prog_load", subject, null, probe));
  }

  /**
   * Makes a bpf(2) as the task: an fd, 0, or a negative errno. `held` is what `attr` points to, `lent` the capabilities
   * that the task has for this call alone.
   */
  bpfAsTask(
    cmd: number,
    attr: Uint8Array,
    held: readonly Memory[] = NONE,
    namespaces: NamespaceScope = "net",
    lent = 0n,
  ): number {
    return this.asTask(NR.bpf, [cmd, attr, attr.byteLength], held, namespaces, lent);
  }

  /**
   * Makes a system call as the task. Memory among the words stands for its address, and may point to what is `held`.
   */
  asTask(
    number: number,
    words: readonly Word[],
    held: readonly Memory[] = NONE,
    namespaces: NamespaceScope = "net",
    lent = 0n,
  ): number {
    const own = this.caller.identity(namespaces);
    if (own === null) return -ERRNO.ESRCH;
    const identity = lent === 0n ? own : { ...own, capabilities: own.capabilities | lent };
    const result = this.task.make({ identity, number, words, held, path: namespaces === "mount" });
    return result === OUT_OF_REACH ? this.#outOfReach() : result;
  }

  #outOfReach(): number {
    this.#denyOutOfReach("the task has another user, group, root directory or namespace than the gate");
    return -GATE_RULES.out_of_reach.errno;
  }

  /** There is no memory, or the gate may not read it: of such a task it cannot tell the user namespace either. */
  #unread(): Denied {
    if (this.caller.identity("none") !== null || !this.stillWaits) return this.asKernel(-ERRNO.EFAULT);
    return this.#denyOutOfReach("the task has another user than the gate, or cannot be traced");
  }

  #denyOutOfReach(why: string): Denied {
    const name = this.notification.call === NR.bpf ? (commandRow(this.word(0))?.name ?? "") : "";
    const reason = `${why}, and the gate lacks the capability that it would need for that`;
    return this.denyRepeatable("out_of_reach", "bpf", { name }, reason, `${name} ${why}`);
  }

  #record(hook: HookName, subject: DeniedSubject, denial: GateDenial | null, probe: string | null): Verdict {
    const { decisions } = this.services;
    const { name, digest = "", id } = subject;
    const named = { name: name === "" ? UNNAMED : name, digest, ...(id === undefined ? {} : { id }) };
    const { operation } = this;
    return decisions.record({ hook, subject: named, denial, probe, current: this.caller.current, operation });
  }

  /** Decides, or gives what a turn before this one has decided. */
  #once(decide: () => Verdict): Verdict {
    const known = this.recording?.verdicts[this.#decided];
    this.#decided += 1;
    if (known !== undefined) return known;
    const verdict = decide();
    this.services.watch.decided(verdict);
    return verdict;
  }
}

/** The name of a subject that its task has given none. */
const UNNAMED = "(unnamed)";

/** The outcome of an operation with these decisions; null if it is not counted. */
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
