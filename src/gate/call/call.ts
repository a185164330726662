import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { ProgramSubject, SubjectOf } from "../../hooks/subject.js";
import type { Judge, Verdict } from "../judge.js";
import type { Facts } from "../load/facts.js";
import type { LiveLoad } from "../load/load.js";
import type { GateSettings } from "../settings.js";
import type { Reach, Wardrobe } from "../sys/credentials.js";
import { NR } from "../sys/numbers.js";
import { stillWaits } from "../sys/seccomp.js";
import type { Tally } from "../tally.js";
import type { Memory, Word } from "../threads/errand.js";
import type { Visit } from "../threads/visit.js";
import type { Watch } from "../threads/watch.js";
import { Attr, MAX_ATTR } from "./attr.js";
import { type Asker, capabilityNames } from "./current.js";
import type { Listener } from "./listener.js";
import type { Notification } from "./notification.js";
import type { Task } from "./task.js";

/**
 * What becomes of a call: a result or negative errno; an fd to be put into the task; the kernel's own doing, which only
 * what registers decided may be left to; or nothing, because the task is gone.
 */
export type Answer = { readonly result: number } | HandOut | "continue" | "gone";

/** The gate's fd, and what is to be remembered once the task has it. The fd is closed after. */
export interface HandOut {
  readonly fd: number;
  readonly handedOut: () => void;
}

const NONE: readonly Memory[] = [];

/** What a gate has for every call. */
export interface Gatehouse {
  readonly judge: Judge;
  readonly facts: Facts;
  readonly settings: GateSettings;
  readonly wardrobe: Wardrobe;
  readonly watch: Watch;
  readonly tally: Tally;
  /** Whether all listeners are of one container, or command: nobody else has to wait then. */
  alone(): boolean;
}

/** One system call that waits at the gate, with who makes it. */
export class Call {
  #decided = 0;

  /** `visit` is what turns before this one have left; null where it is the first. */
  constructor(
    readonly notification: Notification,
    readonly listener: Listener,
    readonly task: Task,
    readonly asker: Asker,
    private readonly gatehouse: Gatehouse,
    private readonly visit: Visit | null,
  ) {}

  get settings(): GateSettings {
    return this.gatehouse.settings;
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
    return this.listener.isRehearsal || stillWaits(this.listener.fd, this.notification.bytes);
  }

  /**
   * Copies this bpf(2)'s attr, of which the gate knows `room` bytes. E2BIG where there is more and it is not zero, as the
   * kernel answers what is newer than itself (bpf_check_uarg_tail_zero); EFAULT where it is not there.
   */
  attr(room: number): Attr | number {
    const size = this.word(2);
    if (size > MAX_ATTR) return -ERRNO.E2BIG;
    const bytes = this.task.read(this.long(1), size);
    if (bytes === null) return -ERRNO.EFAULT;
    for (let at = room; at < size; at += 1) if (bytes[at] !== 0) return -ERRNO.E2BIG;
    return new Attr(size, room, bytes);
  }

  serves(hook: HookName): boolean {
    return this.gatehouse.judge.serves(hook);
  }

  /** What is found out about a load, or in one line why it cannot be read; the kernel would refuse that, too. */
  factsOf(load: LiveLoad): ProgramSubject | string {
    try {
      return this.gatehouse.facts.of(load, this.listener.objects, this.task.tgid);
    } catch (error) {
      if (error instanceof CountersignError) return error.toString();
      throw error;
    }
  }

  /** `lacking`: capabilities that the task would need and does not have, as {@link lacking} has it. */
  decide<H extends HookName>(hook: H, subject: SubjectOf<H>, lacking = 0n): Verdict {
    const { judge } = this.gatehouse;
    const names = lacking === 0n ? undefined : capabilityNames(lacking);
    return this.#once(() => judge.decide(hook, subject, this.asker.current, this.visit?.overdue, names));
  }

  /**
   * Refuses what no policy can allow, or what the gate cannot carry out. In audit it is recorded and left to the kernel,
   * which decides nothing then, and so may look at memory again.
   */
  refuse(hook: HookName, subject: string, verdict: number, reason: string): { readonly result: number } | "continue" {
    const { verdict: recorded } = this.record(hook, subject, verdict, reason, null);
    return this.settings.audit ? "continue" : { result: recorded };
  }

  /** Of the capabilities that something needs, those that the task lacks, where an attachment may lend any. */
  lacking(needed: bigint): bigint {
    if (!this.gatehouse.judge.delegates) return 0n;
    const identity = this.asker.identity("object");
    return identity === null ? 0n : needed & ~identity.capabilities;
  }

  /** Whether an attachment in scope at a hook has maps frozen. */
  freezes(hook: HookName): boolean {
    return this.gatehouse.judge.engine.freezer(hook, this.asker.current) !== null;
  }

  /** Whether an attachment may lend this task, at a hook, capabilities that it lacks. */
  mayLend(hook: HookName, lacking: bigint): boolean {
    return lacking !== 0n && this.gatehouse.judge.engine.lender(hook, this.asker.current) !== null;
  }

  /** Lets through before policies what a loader tries out: 0, or a refusal where that could not be written down. */
  passProbe(subject: string, probe: string): Verdict {
    return this.record("bpf_prog_load", subject, 0, null, probe);
  }

  /**
   * Makes a bpf(2) as the task: an fd, 0, or a negative errno. `held` is what `attr` points to, `lent` the capabilities that
   * the task has for this call alone.
   */
  bpfAsTask(cmd: number, attr: Uint8Array, held: readonly Memory[] = NONE, reach: Reach = "call", lent = 0n): number {
    return this.asTask(NR.bpf, [cmd, attr, attr.byteLength], held, reach, lent);
  }

  /** Makes a system call as the task. Memory among the words stands for its address, and may point to what is `held`. */
  asTask(
    number: number,
    words: readonly Word[],
    held: readonly Memory[] = NONE,
    reach: Reach = "call",
    lent = 0n,
  ): number {
    const own = this.asker.identity(reach);
    if (own === null) return -ERRNO.ESRCH;
    const identity = lent === 0n ? own : { ...own, capabilities: own.capabilities | lent };
    return this.task.make({ identity, number, words, held, path: reach === "path" });
  }

  private record(
    hook: HookName,
    subject: string,
    verdict: number,
    reason: string | null,
    probe: string | null,
  ): Verdict {
    const { judge } = this.gatehouse;
    const { current } = this.asker;
    const event = { hook, subject, verdict, reason, probe, current };
    return this.#once(() => {
      const recorded = judge.record(event);
      return { verdict: recorded, asked: false, delegated: false, freezes: false };
    });
  }

  /** Decides, or gives what a turn before this one has decided. */
  #once(decide: () => Verdict): Verdict {
    const known = this.visit?.verdicts[this.#decided];
    this.#decided += 1;
    if (known !== undefined) return known;
    const verdict = decide();
    this.gatehouse.watch.decided(verdict);
    return verdict;
  }
}
