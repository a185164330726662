import type { DecisionWatch } from "../../engine/watch.js";
import { ANALYSIS } from "./blocking-worker-pool.js";
import type { Blocked, Watch } from "./watch.js";

/** Poll interval in milliseconds if the gate serves several containers. */
const LOOK_EVERY = 10;
/** Poll interval if the gate serves one container or command. */
const LOOK_SELDOM = 20;
/** Poll interval during a blocking operation, and after a policy exceeded its time limit. */
const LOOK_CLOSER = 5;
/** Milliseconds of waiting for a task after which a standby thread is started if there is none. */
const UNEASY = 8;
/**
 * Milliseconds of waiting for a task after which another thread takes over. A lookup on a slow disk or the read of a
 * swapped-out page takes less.
 */
export const REPLACE_AFTER = 25;
/** A standby thread is started this many milliseconds before the time limit of an analysis. */
const UNEASY_ANALYSIS = 2000;
/**
 * Milliseconds beyond a policy's time limit after which the thread is terminated. The sandbox enforces the limit itself
 * at its polling points, so this is for code without one.
 */
export const GRACE = 50;

/** The shared memory of a thread that the watcher reads. */
export interface Watched {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
}

/** The threads that a watcher observes, and the actions that it can take. */
export interface WatchTarget<Thread extends Watched> {
  /** The thread to observe; null for none. */
  thread(): Thread | null;
  /** Whether the gate serves only one container or command, so that a wait delays no other. */
  alone(): boolean;
  /** Milliseconds that a task may make the gate wait (`gate.stall`). */
  stall(): number;
  /** A standby thread may be needed soon (`prepare`), or is not needed (`rest`). */
  prepare(): void;
  rest(): void;
  /** Whether a standby thread is ready to take over. */
  canReplace(): boolean;
  /** A blocking operation has taken longer than `stall`: kill its task and deny its call. */
  killAndDeny(thread: Thread, blocked: Blocked): void;
  /** A blocking operation makes other tasks wait: another thread takes over. */
  replaceBlocked(thread: Thread, blocked: Blocked): void;
  /**
   * A policy or an analysis does not return: terminate the thread. Call `isStill` after the thread has ended: it
   * returns false if the policy or analysis returned before the end, and then the policy or program is not at fault.
   */
  end(thread: Thread, isStill: () => boolean): void;
}

/** Polls the state of the decision thread, and takes an action if an operation or a policy takes too long. */
export class Watcher<Thread extends Watched> {
  readonly #observed = new ObservedWait();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** When the next poll is due, in milliseconds since the epoch. */
  #due = 0;
  /** The blocking operation whose task was spared because a poll came late, and until when: see {@link #spares}. */
  #spared = { count: 0, until: 0 };

  constructor(private readonly target: WatchTarget<Thread>) {
    this.#next(LOOK_EVERY);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #next(milliseconds: number): void {
    this.#due = Date.now() + milliseconds;
    this.#timer = setTimeout(() => {
      const uneasy = this.#look();
      if (!this.#stopped) this.#next(uneasy ? LOOK_CLOSER : this.target.alone() ? LOOK_SELDOM : LOOK_EVERY);
    }, milliseconds).unref();
  }

  /** Polls once. Returns whether to poll again at the short interval. */
  #look(): boolean {
    const thread = this.target.thread();
    if (thread === null) return false;
    const blocked = thread.watch.look();
    const seen = this.#observed.look(blocked, Date.now());
    const overdue = thread.decisions.overdue(0) !== null;
    const late = thread.decisions.overdue(GRACE);
    if (overdue) this.target.prepare();
    if (blocked !== null) this.#lookAt(thread, blocked, seen);
    else if (late !== null) {
      const isStill = () => thread.decisions.overdue(0)?.count === late.count;
      if (this.target.canReplace()) this.target.end(thread, isStill);
    } else if (!overdue) this.target.rest();
    return blocked !== null || overdue;
  }

  #lookAt(thread: Thread, blocked: Blocked, seen: number): void {
    const stall = this.target.stall();
    if (blocked.wait === "analysis") {
      if (Date.now() - blocked.since > ANALYSIS - UNEASY_ANALYSIS) this.target.prepare();
      const isStill = () => thread.watch.look()?.count === blocked.count;
      if (Date.now() - blocked.since > ANALYSIS && this.target.canReplace()) this.target.end(thread, isStill);
      return;
    }
    const kernel = blocked.wait === "kernel";
    if (!kernel && Date.now() - blocked.since > stall && !this.#spares(blocked))
      this.target.killAndDeny(thread, blocked);
    // with one container, replace the thread only if killing the task did not end the operation
    const limit = !this.target.alone() ? REPLACE_AFTER : kernel ? Number.POSITIVE_INFINITY : stall + REPLACE_AFTER;
    if (seen > limit - REPLACE_AFTER + UNEASY) this.target.prepare();
    if (seen > limit && this.target.canReplace()) this.target.replaceBlocked(thread, blocked);
  }

  /**
   * Whether to spare the task of a blocking operation for now because this poll came late: if neither the watcher nor
   * the thread was scheduled, the task did not cause the wait. Each operation is spared once, so its task is killed
   * even if all polls are late.
   */
  #spares({ count }: Blocked): boolean {
    const now = Date.now();
    if (this.#spared.count !== count && now - this.#due > REPLACE_AFTER)
      this.#spared = { count, until: now + REPLACE_AFTER };
    return this.#spared.count === count && now < this.#spared.until;
  }
}

/**
 * Measures for how long a thread was observed in the same wait. A gap in which the watcher itself did not run counts as
 * one poll interval: if neither of the two was scheduled, the task did not cause the wait.
 */
export class ObservedWait {
  #first = 0;
  #looked = 0;
  #seen = 0;

  /** Adds a poll at `now`, in milliseconds since the epoch. Returns milliseconds. */
  look(blocked: Pick<Blocked, "first"> | null, now: number): number {
    const before = blocked?.first === this.#first ? this.#looked : (blocked?.first ?? now);
    if (blocked?.first !== this.#first) this.#seen = 0;
    this.#seen += Math.max(0, Math.min(now - before, LOOK_EVERY));
    this.#first = blocked?.first ?? 0;
    this.#looked = now;
    return this.#seen;
  }
}
