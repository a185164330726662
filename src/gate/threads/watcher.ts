import type { DecisionWatch } from "../../engine/watch.js";
import { ANALYSIS } from "./blocking-worker-pool.js";
import type { Blocked, Watch } from "./watch.js";

/** Milliseconds between two looks at the thread, where others may have to wait with it and where nobody does; */
const LOOK_EVERY = 10;
const LOOK_SELDOM = 20;
/** and while it is at something that may take long. */
const LOOK_CLOSER = 5;
/** Milliseconds of waiting on a task's account after which another thread is made ready where none is kept, */
const UNEASY = 8;
/** and after which it takes over: a path on a slow disk is there by then, and so is a page that was swapped out. */
export const REPLACE_AFTER = 25;
/** Milliseconds before an analysis is ended at which another thread is made ready. */
const UNEASY_ANALYSIS = 2000;
/** Milliseconds beyond a policy's own limit of time, which the sandbox enforces itself wherever it is polled. */
export const GRACE = 50;

/** What the watcher reads of a thread. */
export interface Watched {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
}

/** What a watcher observes, and the actions that it may take. */
export interface WatchTarget<Thread extends Watched> {
  /** Null where there is none to be watched. */
  thread(): Thread | null;
  /** Whether all that it serves is of one container, or command: nobody else has to wait then. */
  alone(): boolean;
  /** Milliseconds that a task may make the gate wait. */
  stall(): number;
  /** A standby thread may be needed soon; `rest`: it is not needed. */
  prepare(): void;
  rest(): void;
  /** Whether another thread can take over by now. */
  canReplace(): boolean;
  /** A blocking operation has passed `stall`: kill its task and deny its call. */
  killAndDeny(thread: Thread, blocked: Blocked): void;
  /** A blocking operation makes other tasks wait: another thread takes over. */
  replaceBlocked(thread: Thread, blocked: Blocked): void;
  /**
   * A policy or an analysis does not return: terminate the thread. `isStill` says, once the thread has ended, whether
   * it had not returned until then; if it had, the policy or program is not at fault.
   */
  end(thread: Thread, isStill: () => boolean): void;
}

/**
 * Polls what the decision thread is doing, and takes an action if that takes too long.
 */
export class Watcher<Thread extends Watched> {
  readonly #observed = new ObservedWait();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Milliseconds since the epoch by which the next look is due. */
  #due = 0;
  /** The blocking operation whose task was not killed because a look came late, and until when it is not. */
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

  /** Whether it is to be looked at soon again. */
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
   * Whether to spare the task of a blocking operation for now because this look came late: if neither the watcher nor
   * the thread got a processor, the wait is not the task's fault. Each operation is spared once, so that its task is
   * killed even if all looks are late.
   */
  #spares({ count }: Blocked): boolean {
    const now = Date.now();
    if (this.#spared.count !== count && now - this.#due > REPLACE_AFTER)
      this.#spared = { count, until: now + REPLACE_AFTER };
    return this.#spared.count === count && now < this.#spared.until;
  }
}

/**
 * How long a thread was observed in the same wait. A gap in which the watcher itself did not run counts as one poll: if
 * the machine or a quota let neither of the two run, the wait is not the task's fault.
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
