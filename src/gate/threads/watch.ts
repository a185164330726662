import type { Verdict } from "../gate-decisions.js";
import { NOTIFICATION_SIZE } from "../sys/seccomp.js";
import { OUTCOMES } from "../tally.js";
import { WAITS, type Wait } from "./blocking-op.js";

/** What the decision thread does: nothing; a call; a blocking operation of its task; or it has been replaced. */
const STEP = { idle: 0, serving: 1, blocked: 2, superseded: 3 } as const;

const WORDS = { step: 0, listener: 1, count: 2, wait: 3, verdicts: 4, made: 21 } as const;
/** Decisions on one call: none takes more than four. */
const MAX_VERDICTS = WORDS.made - WORDS.verdicts - 1;
/**
 * Fds that stand open for one call, as far as they are told of: an fd_array alone may name 4096, and no program has
 * more than 64 maps.
 */
const MAX_MADE = 4096 + 128;
const KINDS = Object.keys(WAITS) as Wait[];
const TIME = 8 * Math.ceil((WORDS.made + 1 + MAX_MADE) / 2);
const NOTIFICATION = TIME + 16;
/**
 * Times: when the first of consecutive blocking operations began, and when it would have begun without the thread's own
 * work between them.
 */
const FIRST = 0;
const SINCE = 1;

/** A blocking operation that the thread is at. */
export interface Blocked {
  /** Milliseconds since the epoch: when the first of consecutive blocking operations began. */
  readonly first: number;
  /**
   * The same without what the thread itself did between them, which is no waiting: so long ago as all of them took
   * together.
   */
  readonly since: number;
  /** Differs from one blocking operation to the next. */
  readonly count: number;
  readonly wait: Wait;
}

/**
 * Which call the decision thread serves, and whether it is in a blocking operation, in memory shared with its watcher.
 * A thread in a blocking operation can be replaced. It detects that when the operation ends, so that exactly one of the
 * two threads goes on with the call.
 */
export class Watch {
  /** The call: struct seccomp_notif. The kernel writes it here. */
  readonly notification: Uint8Array;
  /** Milliseconds that the blocking operations of this call took, without those of 1 ms or less. For the thread. */
  waited = 0;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  #blocked = 0;
  /** Milliseconds that the consecutive blocking operations before this one took. */
  #took = 0;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(NOTIFICATION + NOTIFICATION_SIZE)) {
    this.#words = new Int32Array(memory, 0, TIME / 4);
    this.#times = new Float64Array(memory, TIME, 2);
    this.notification = new Uint8Array(memory, NOTIFICATION, NOTIFICATION_SIZE);
  }

  /** By the thread: it serves the call in {@link notification}, on which so much was decided in turns before. */
  enter(listener: number, verdicts: readonly Verdict[]): void {
    this.waited = 0;
    this.#times[FIRST] = 0;
    this.#words[WORDS.listener] = listener;
    this.#words[WORDS.made] = 0;
    this.#words[WORDS.verdicts] = 0;
    for (const verdict of verdicts) this.decided(verdict);
    Atomics.store(this.#words, WORDS.step, STEP.serving);
  }

  /** By the thread: the call has been decided, in part. */
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

  /** By the thread: what comes now can take long. */
  block(wait: Wait): void {
    this.#blocked = Date.now();
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
    const took = Math.max(0, Date.now() - this.#blocked);
    this.#took += took;
    // less than that is as likely a turn of the clock
    if (took > 1) this.waited += took;
    return Atomics.compareExchange(this.#words, WORDS.step, STEP.blocked, STEP.serving) === STEP.blocked;
  }

  /** By the thread: the last wait was not caused by the task; do not add it to the next operation's time. */
  forgetWait(): void {
    this.#times[FIRST] = 0;
  }

  /** By the thread: the call has its answer. */
  leave(): void {
    Atomics.store(this.#words, WORDS.step, STEP.idle);
  }

  /** By the watcher: what the thread waits for, or null. */
  look(): Blocked | null {
    const count = Atomics.load(this.#words, WORDS.count);
    const [first = 0, since = 0] = this.#times;
    const wait = KINDS[this.#words[WORDS.wait]!]!;
    const blocked = Atomics.load(this.#words, WORDS.step) === STEP.blocked && first > 0;
    // do not pair the times of one operation with the count of another
    return blocked && Atomics.load(this.#words, WORDS.count) === count ? { first, since, count, wait } : null;
  }

  /**
   * By the watcher: the call of a blocking operation, or null if the thread has left that operation. Without this check
   * it could be another call, which the thread began while this was read.
   */
  callOf({ count }: Pick<Blocked, "count">): BlockedCall | null {
    const call = { listener: this.#words[WORDS.listener]!, notification: this.notification.slice() };
    return this.look()?.count === count ? call : null;
  }

  /** By the watcher: marks the thread as replaced, if it still is in the same operation. */
  supersede({ count }: Blocked): boolean {
    if (Atomics.load(this.#words, WORDS.count) !== count) return false;
    return Atomics.compareExchange(this.#words, WORDS.step, STEP.blocked, STEP.superseded) === STEP.blocked;
  }

  /** By the watcher, after the thread ended or was replaced: the call that it was serving, or null. */
  left(): Left | null {
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

/** A verdict in one word: what came of it above three bits. */
/** Two bits, of which no index of an outcome has both. */
const NO_OUTCOME = 3;

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

/** A call whose task the thread waits for, as a copy. */
export interface BlockedCall {
  readonly listener: number;
  readonly notification: Uint8Array;
}

/** A call that a thread did not finish. */
export interface Left {
  readonly listener: number;
  readonly verdicts: readonly Verdict[];
  /** Fds that are open for it. */
  readonly made: readonly number[];
}
