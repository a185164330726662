import { monotonic } from "../../../monotonic.js";
import { NOTIFICATION_SIZE } from "../../../sys/seccomp.js";
import type { Verdict } from "../../decisions/gate-decisions.js";
import { OUTCOMES } from "../../decisions/tally.js";
import { WAITS, type Wait } from "./blocking-op.js";

/** The state of the decision thread: no call, in a call, in a blocking operation of a call, or replaced. */
const STEP = { idle: 0, serving: 1, blocked: 2, superseded: 3 } as const;

/** Indexes of 32-bit words in the shared memory. `verdicts` and `made` are counts, each followed by its elements. */
const WORDS = { step: 0, listener: 1, count: 2, wait: 3, unsent: 4, verdicts: 5, made: 22 } as const;
/** Maximum number of decisions on one call that are stored. No call needs more than four. */
const MAX_VERDICTS = WORDS.made - WORDS.verdicts - 1;
/**
 * Maximum number of open fds of one call that are stored. An fd_array may contain 4096 fds, and a program uses at most
 * 64 maps (MAX_USED_MAPS of linux/bpf_verifier.h).
 */
const MAX_MADE = 4096 + 128;
const KINDS = Object.keys(WAITS) as Wait[];
const TIME = 8 * Math.ceil((WORDS.made + 1 + MAX_MADE) / 2);
const NOTIFICATION = TIME + 16;
/**
 * Indexes of two times, in milliseconds of monotonic(). See `first` and `since` of {@link Blocked}. `FIRST` is 0 if
 * there is no sequence of consecutive blocking operations.
 */
const FIRST = 0;
const SINCE = 1;
/** Milliseconds of an operation that a task may have made longer: a busy machine alone takes less. */
const LONG = 2;

/** The blocking operation that the thread is in. */
export interface Blocked {
  /** Milliseconds of monotonic(): when the first of consecutive blocking operations began. */
  readonly first: number;
  /**
   * The same time, moved forward by the thread's own work between the operations. So `now - since` is the time spent in
   * these operations alone.
   */
  readonly since: number;
  /** Number of the blocking operation. Consecutive operations have different numbers. */
  readonly count: number;
  readonly wait: Wait;
}

/**
 * Shared memory in which the decision thread shows its watcher which call it serves and whether it is in a blocking
 * operation. A thread in a blocking operation can be replaced. It detects this when the operation ends, so exactly one
 * of the two threads continues the call.
 */
export class Watch {
  /** The current call as a struct seccomp_notif. The kernel writes it here. */
  readonly notification: Uint8Array;
  /** Milliseconds that blocking operations of this call took, without those shorter than {@link LONG}. Not shared. */
  waited = 0;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  #blocked = 0;
  /** Milliseconds that the earlier operations of the same sequence of consecutive blocking operations took. */
  #took = 0;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(NOTIFICATION + NOTIFICATION_SIZE)) {
    this.#words = new Int32Array(memory, 0, TIME / 4);
    this.#times = new Float64Array(memory, TIME, 2);
    this.notification = new Uint8Array(memory, NOTIFICATION, NOTIFICATION_SIZE);
  }

  /** By the thread: it begins the call in {@link notification}. `verdicts`: decisions of earlier turns on this call. */
  enter(listener: number, verdicts: readonly Verdict[]): void {
    this.waited = 0;
    this.#times[FIRST] = 0;
    this.#words[WORDS.listener] = listener;
    this.#words[WORDS.made] = 0;
    this.#words[WORDS.verdicts] = 0;
    for (const verdict of verdicts) this.decided(verdict);
    Atomics.store(this.#words, WORDS.step, STEP.serving);
  }

  /** By the thread: stores a decision on the call. */
  decided(verdict: Verdict): void {
    const count = this.#words[WORDS.verdicts]!;
    if (count === MAX_VERDICTS) return;
    this.#words[WORDS.verdicts + 1 + count] = wordOf(verdict);
    Atomics.store(this.#words, WORDS.verdicts, count + 1);
    this.#times[FIRST] = 0; // a decision ends the sequence of consecutive operations
  }

  /**
   * By the thread: records an fd that it opened for this call, so that the supervisor can close it if it terminates the
   * thread. Never close such an fd while a policy may still run: fd numbers are process-wide, so by then the number may
   * belong to another file.
   */
  made(fd: number): void {
    const count = this.#words[WORDS.made]!;
    if (count === MAX_MADE) return;
    this.#words[WORDS.made + 1 + count] = fd;
    this.#words[WORDS.made] = count + 1;
  }

  /** By the thread: a blocking operation begins. */
  block(wait: Wait): void {
    this.#blocked = monotonic();
    if (this.#times[FIRST] === 0) {
      this.#times[FIRST] = this.#blocked;
      this.#took = 0;
    }
    this.#times[SINCE] = this.#blocked - this.#took;
    this.#words[WORDS.count] = (this.#words[WORDS.count]! + 1) | 0;
    this.#words[WORDS.wait] = KINDS.indexOf(wait);
    Atomics.store(this.#words, WORDS.step, STEP.blocked);
  }

  /** By the thread: the operation has ended. Returns false if the thread was replaced meanwhile. */
  unblock(): boolean {
    const took = Math.max(0, monotonic() - this.#blocked);
    this.#took += took;
    if (took >= LONG) this.waited += took;
    return Atomics.compareExchange(this.#words, WORDS.step, STEP.blocked, STEP.serving) === STEP.blocked;
  }

  /** By the thread: the task did not cause the last wait. Its time is not added to that of the next operation. */
  forgetWait(): void {
    this.#times[FIRST] = 0;
  }

  /** Number of decisions that the thread has made and not yet sent to the shadow. */
  get unsent(): number {
    return Atomics.load(this.#words, WORDS.unsent);
  }

  /** By the thread. */
  set unsent(count: number) {
    Atomics.store(this.#words, WORDS.unsent, count);
  }

  /** By the thread: the call was answered, or its turn has ended. */
  leave(): void {
    Atomics.store(this.#words, WORDS.step, STEP.idle);
  }

  /** By the watcher: the blocking operation that the thread is in, or null. */
  look(): Blocked | null {
    const count = Atomics.load(this.#words, WORDS.count);
    const [first = 0, since = 0] = this.#times;
    const wait = KINDS[this.#words[WORDS.wait]!]!;
    const blocked = Atomics.load(this.#words, WORDS.step) === STEP.blocked && first > 0;
    // the count must be read twice, or the times of one operation could be paired with the count of another
    return blocked && Atomics.load(this.#words, WORDS.count) === count ? { first, since, count, wait } : null;
  }

  /**
   * By the watcher: the call of a blocking operation, or null if the thread has left that operation. The check comes
   * after the copy, because the thread could begin another call during the copy.
   */
  callOf({ count }: Pick<Blocked, "count">): BlockedCall | null {
    const call = { listener: this.#words[WORDS.listener]!, notification: this.notification.slice() };
    return this.look()?.count === count ? call : null;
  }

  /** By the watcher: marks the thread as replaced if it is still in this operation. Returns whether it did. */
  supersede({ count }: Blocked): boolean {
    if (Atomics.load(this.#words, WORDS.count) !== count) return false;
    return Atomics.compareExchange(this.#words, WORDS.step, STEP.blocked, STEP.superseded) === STEP.blocked;
  }

  /** By the supervisor, after the thread ended or was replaced: the call that the thread was serving, or null. */
  unfinishedCall(): UnfinishedCall | null {
    if (Atomics.load(this.#words, WORDS.step) === STEP.idle) return null;
    const count = Atomics.load(this.#words, WORDS.made);
    const made = [...this.#words.subarray(WORDS.made + 1, WORDS.made + 1 + count)];
    return { listener: this.#words[WORDS.listener]!, verdicts: this.verdicts, made };
  }

  get verdicts(): readonly Verdict[] {
    const count = Atomics.load(this.#words, WORDS.verdicts);
    const verdicts: Verdict[] = [];
    for (let index = 1; index <= count; index += 1) verdicts.push(verdictOf(this.#words[WORDS.verdicts + index]!));
    return verdicts;
  }
}

/** The value of the two bits of the outcome if there is none. No index of {@link OUTCOMES} is 3. */
const NO_OUTCOME = 3;

/** Encodes a verdict in one word: bits 0 to 2 are flags, 3 and 4 the outcome, and from bit 5 on the errno. */
function wordOf({ verdict, answered, delegated, freezes, outcome }: Verdict): number {
  const bits =
    (answered ? 1 : 0) |
    (delegated ? 2 : 0) |
    (freezes ? 4 : 0) |
    ((outcome === null ? NO_OUTCOME : OUTCOMES.indexOf(outcome)) << 3);
  return (-verdict << 5) | bits;
}

function verdictOf(word: number): Verdict {
  const bit = (mask: number) => (word & mask) !== 0;
  const outcome = OUTCOMES[(word >> 3) & NO_OUTCOME] ?? null;
  return { verdict: 0 - (word >> 5), answered: bit(1), delegated: bit(2), freezes: bit(4), outcome };
}

/** A copy of the call whose blocking operation the thread is in. */
export interface BlockedCall {
  readonly listener: number;
  readonly notification: Uint8Array;
}

/** A call that a thread did not finish. */
export interface UnfinishedCall {
  readonly listener: number;
  readonly verdicts: readonly Verdict[];
  /** Fds that the thread opened for the call, which are still open. */
  readonly made: readonly number[];
}
