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
 * The reply to a call.
 *
 * - `result`: a return value, or a negative errno.
 * - `IssuedFd`: an fd that is installed in the task.
 * - `continue`: the kernel executes the call. This is safe only if the decision used nothing but registers, since the
 *   task can change its memory after the decision.
 * - `gone`: no reply, because the task has exited.
 */
export type Answer = { readonly result: number } | IssuedFd | "continue" | "gone";

/**
 * An fd of the gate to install in the task. The gate calls `onIssued` once the task has it, and then closes its own fd.
 */
export interface IssuedFd {
  readonly fd: number;
  readonly onIssued: () => void;
}

/**
 * The reply to a call that the gate does not carry out: an errno, or in audit `continue`, so that the kernel executes
 * it.
 */
export type Denied = { readonly result: number } | "continue";

/** The object that a denial by the gate names in the log. */
export interface DeniedSubject {
  readonly name: string;
  /** SHA-256, if known. */
  readonly digest?: string;
  /** The kernel's id of an object. */
  readonly id?: number;
}

const NONE: readonly Memory[] = [];

/** The services that the gate shares between all calls. */
export interface CallServices {
  readonly decisions: GateDecisions;
  readonly facts: Facts;
  readonly settings: GateSettings;
  readonly impersonator: Impersonator;
  readonly watch: Watch;
  readonly tally: Tally;
  readonly retries: Retries;
  /** Whether all listeners belong to one container or command. If so, a slow call delays no other container. */
  alone(): boolean;
}

/** One system call that waits at the gate, and its caller. */
export class Call {
  #decided = 0;
  #analysed = 0;
  #attempt: (() => Attempt) | null = null;
  /** The operation that this call retries; null if it is not a retry. */
  #repeated: string | null = null;
  #operation: string | null = null;

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
  ) {}

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

  /**
   * Whether the caller still waits for its reply. If it does, its thread id was not reused, so all bytes copied so far
   * belong to the caller (seccomp_unotify(2)). Check this after the last copy and before the first decision.
   */
  get stillWaits(): boolean {
    return this.listener.isWarmUp || stillWaits(this.listener.fd, this.notification.bytes);
  }

  /**
   * Copies the attr of this bpf(2) call. The gate knows its first `room` bytes and denies the call if any later byte is
   * not zero, like the kernel for fields that it does not know (bpf_check_uarg_tail_zero).
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

  /** The operation's id in the log. */
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

  /**
   * Whether an earlier turn made a decision on this call. Checks that precede the first decision passed in that turn.
   */
  get wasDecided(): boolean {
    return (this.recording?.verdicts.length ?? 0) > 0;
  }

  serves(hook: HookName): boolean {
    return this.services.decisions.serves(hook);
  }

  /**
   * Computes the facts of a load. If the load is malformed, returns the reason in one line; the kernel would reject
   * such a load, too.
   */
  factsOf(load: LiveLoad): ProgramSubject | string {
    try {
      const analyst = this.task.analyst(this.#analysed++);
      return this.services.facts.of(load, this.listener.objects, this.task.tgid, analyst);
    } catch (error) {
      if (error instanceof CountersignError) return error.toString();
      throw error;
    }
  }

  /**
   * Asks policies. `lacking` is the set of capabilities that the task needs and does not have (see {@link lacking}).
   */
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
   * Replies with an errno that the kernel would return as well, so it is not a denial by the gate and not logged. In a
   * dry run the kernel executes the call and returns its own errno, in case the gate predicted the wrong one.
   */
  asKernel(errno: number): Denied {
    return this.isDryRun ? "continue" : { result: errno };
  }

  /**
   * Denies a call by a rule of the gate, which no policy can override. The denial is a decision in the log. In a dry
   * run the kernel executes the call and reads the task's memory again, which is acceptable because nothing is
   * enforced.
   */
  deny(rule: GateRule, hook: HookName, subject: DeniedSubject, reason: string): Denied {
    const denial = { verdict: -GATE_RULES[rule].errno, rule, reason };
    const { verdict } = this.#once(() => this.#record(hook, subject, denial, null));
    // #once may return a decision of an earlier turn, and that may be an allowing one: the call is denied anyway
    return this.isDryRun ? "continue" : { result: verdict < 0 ? verdict : denial.verdict };
  }

  /** Denies a call because of an obstacle (see {@link deny}). */
  denyFor({ rule, reason }: Obstacle, hook: HookName, subject: DeniedSubject): Denied {
    return this.deny(rule, hook, subject, reason);
  }

  /**
   * Denies an operation that tasks may repeat many times. For each container or command, the first denial of each
   * `what` is a decision in the log. Later ones are only counted.
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

  /** Returns the needed capabilities that the task lacks, or 0 if no attachment can lend any. */
  lacking(needed: bigint): bigint {
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
    return this.services.decisions.engine.freezer(hook, this.caller.current) !== null;
  }

  /** Whether an attachment in scope at this hook may lend the task capabilities that it lacks. */
  mayLend(hook: HookName, lacking: bigint): boolean {
    return lacking !== 0n && this.services.decisions.engine.lender(hook, this.caller.current) !== null;
  }

  /** Like {@link mayLend}, but includes attachments in audit, which only record that they would lend. */
  wouldLend(hook: HookName, lacking: bigint): boolean {
    return lacking !== 0n && this.services.decisions.engine.hasLenders(hook, this.caller.current);
  }

  /** Allows a loader's feature probe without asking policies: 0, or a denial if it could not be logged. */
  passProbe(subject: DeniedSubject, probe: string): Verdict {
    return this.#once(() => this.#record("bpf_prog_load", subject, null, probe));
  }

  /**
   * Calls bpf(2) with the task's identity. Returns an fd, 0, or a negative errno. `held` is the memory that `attr`
   * points to. `lent` are capabilities that are added to the task's own for this call only.
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
   * Makes a system call with the task's identity. A `words` entry that is memory is passed by its address. Such memory
   * may contain pointers to the memory in `held`.
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

  /**
   * The task's memory could not be read. If the task's identity is known, the address is invalid: EFAULT. If not, the
   * gate lacks the permission to read the task (ptrace(2), "Ptrace access mode checking"), which also hides its user
   * namespace.
   */
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

/** The name in the log of a subject whose task gave it no name. */
const UNNAMED = "(unnamed)";

/** The most severe outcome of an operation's decisions; null if the operation is not counted. */
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
