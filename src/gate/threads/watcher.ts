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
export const PATIENCE = 25;
/** Milliseconds before an analysis is ended at which another thread is made ready. */
const UNEASY_ANALYSIS = 2000;
/** Milliseconds beyond a policy's own limit of time, which the sandbox enforces itself wherever it is polled. */
export const GRACE = 50;

/** A thread, as far as it can be watched. */
export interface Watched {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
}

/** What is known of the thread at work, and what is to be done about it. */
export interface Charge<Thread extends Watched> {
  /** Null where there is none to be watched. */
  thread(): Thread | null;
  /** Whether all that it serves is of one container, or command: nobody else has to wait then. */
  alone(): boolean;
  /** Milliseconds that a task may make the gate wait. */
  stall(): number;
  /** Another thread may be of use soon; or nothing says so. */
  prepare(): void;
  rest(): void;
  /** Whether another thread can take over by now. */
  canReplace(): boolean;
  /** It has waited on a task's account for longer than any task may make it. */
  turnAway(thread: Thread, blocked: Blocked): void;
  /** It waits on a task's account, and others wait with it: another one goes on. */
  takeOff(thread: Thread, blocked: Blocked): void;
  /**
   * A policy or an analysis does not come back: nothing but the thread's end ends it. `isStill` tells, once the thread
   * has ended, whether it did not come back until then; if it did, what it was at last is not at fault.
   */
  end(thread: Thread, isStill: () => boolean): void;
}

/**
 * Looks at what the decision thread is doing, again and again, and says what is to be done where that takes too long.
 */
export class Watcher<Thread extends Watched> {
  readonly #patience = new Patience();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Milliseconds since the epoch by which the next look is due. */
  #due = 0;
  /** The blocking operation whose task was not killed because a look came late, and until when it is not. */
  #spared = { count: 0, until: 0 };

  constructor(private readonly charge: Charge<Thread>) {
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
      if (!this.#stopped) this.#next(uneasy ? LOOK_CLOSER : this.charge.alone() ? LOOK_SELDOM : LOOK_EVERY);
    }, milliseconds).unref();
  }

  /** Whether it is to be looked at soon again. */
  #look(): boolean {
    const thread = this.charge.thread();
    if (thread === null) return false;
    const blocked = thread.watch.look();
    const seen = this.#patience.look(blocked, Date.now());
    const overdue = thread.decisions.overdue(0) !== null;
    const late = thread.decisions.overdue(GRACE);
    if (overdue) this.charge.prepare();
    if (blocked !== null) this.#lookAt(thread, blocked, seen);
    else if (late !== null) {
      const isStill = () => thread.decisions.overdue(0)?.count === late.count;
      if (this.charge.canReplace()) this.charge.end(thread, isStill);
    } else if (!overdue) this.charge.rest();
    return blocked !== null || overdue;
  }

  #lookAt(thread: Thread, blocked: Blocked, seen: number): void {
    const stall = this.charge.stall();
    if (blocked.wait === "analysis") {
      if (Date.now() - blocked.since > ANALYSIS - UNEASY_ANALYSIS) this.charge.prepare();
      const isStill = () => thread.watch.look()?.count === blocked.count;
      if (Date.now() - blocked.since > ANALYSIS && this.charge.canReplace()) this.charge.end(thread, isStill);
      return;
    }
    const kernel = blocked.wait === "kernel";
    if (!kernel && Date.now() - blocked.since > stall && !this.#spares(blocked)) this.charge.turnAway(thread, blocked);
    // where there is nobody else to wait, another thread is of use only if the task's end was of none
    const patience = !this.charge.alone() ? PATIENCE : kernel ? Number.POSITIVE_INFINITY : stall + PATIENCE;
    if (seen > patience - PATIENCE + UNEASY) this.charge.prepare();
    if (seen > patience && this.charge.canReplace()) this.charge.takeOff(thread, blocked);
  }

  /**
   * Whether to spare the task of a blocking operation for now because this look came late: if neither the watcher nor
   * the thread got a processor, the wait is not the task's fault. Each operation is spared once, so that its task is
   * killed even if all looks are late.
   */
  #spares({ count }: Blocked): boolean {
    const now = Date.now();
    if (this.#spared.count !== count && now - this.#due > PATIENCE) this.#spared = { count, until: now + PATIENCE };
    return this.#spared.count === count && now < this.#spared.until;
  }
}

/**
 * How long a thread was seen to wait for the same: time in which the watcher itself could not look counts as one look.
 * Where the machine or a quota lets neither of the two run, that is no task's doing.
 */
export class Patience {
  #first = 0;
  #looked = 0;
  #seen = 0;

  /** A look, at a time in milliseconds since the epoch. Gives milliseconds. */
  look(blocked: Pick<Blocked, "first"> | null, now: number): number {
    const before = blocked?.first === this.#first ? this.#looked : (blocked?.first ?? now);
    if (blocked?.first !== this.#first) this.#seen = 0;
    this.#seen += Math.max(0, Math.min(now - before, LOOK_EVERY));
    this.#first = blocked?.first ?? 0;
    this.#looked = now;
    return this.#seen;
  }
}
