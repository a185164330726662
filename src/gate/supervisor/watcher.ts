import type { DecisionWatch } from "../../engine/handover/watch.js";
import { monotonic } from "../../monotonic.js";
import { LoopAlarm } from "../../sys/loop-alarm.js";
import type { Blocked, Watch } from "../task/blocking/watch.js";
import {
  type Action,
  type AskedPolicy,
  type Limits,
  nextAction,
  POLL_INTERVAL,
  pollInterval,
  type Standby,
  type WorkerSnapshot,
} from "./next-action.js";
import { ObservedWait } from "./observed-wait.js";
import { OverduePolicy } from "./overdue-policy.js";

/** The shared memory of a thread that the watcher reads. */
export interface Watched {
  readonly watch: Watch;
  readonly decisions: DecisionWatch;
}

/** What the watcher observes, and who carries out its actions. */
export interface WatchTarget<Thread extends Watched> {
  /** The thread to observe; null for none. */
  readonly watched: Thread | null;
  readonly standby: Standby;
  readonly limits: Limits;
  carryOut(action: Action, thread: Thread): void;
}

/** A blocking operation that the watcher acted on. `count` identifies it within its thread. */
interface HandledOp {
  readonly thread: Watched | null;
  readonly count: number;
  isKilled: boolean;
}

function policyOf({ decisions }: Watched, overdue: number): AskedPolicy | null {
  const policy = decisions.look();
  return policy && { count: policy.count, deadline: policy.deadline, overdue };
}

/**
 * Polls the state of the decision thread, and has the actions of {@link nextAction} carried out. Its alarm wakes the
 * main thread in time for each poll, and thereby for all other timers of the main thread too.
 */
export class Watcher<Thread extends Watched> {
  readonly #observed = new ObservedWait();
  readonly #overdue = new OverduePolicy();
  #handled: HandledOp = { thread: null, count: 0, isKilled: false };
  readonly #alarm = new LoopAlarm();
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(private readonly target: WatchTarget<Thread>) {
    this.#pollIn(POLL_INTERVAL);
  }

  /** Stops polling. The main thread is woken until {@link close}, since stopping has limits too. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#alarm.repeat(POLL_INTERVAL);
  }

  close(): void {
    this.stop();
    this.#alarm.close();
  }

  #pollIn(milliseconds: number): void {
    const poll = () => {
      const now = monotonic();
      const snapshot = this.#poll(now);
      if (!this.#isStopped) this.#pollIn(pollInterval(snapshot, this.target.limits, now));
    };
    this.#timer = this.#alarm.setTimeout(poll, milliseconds).unref();
  }

  /** Polls once. Returns what it saw before its actions; null if there is no thread. */
  #poll(now: number): WorkerSnapshot | null {
    const thread = this.target.watched;
    if (thread === null) return null;
    const blocked = thread.watch.look();
    const observed = this.#observed.add(blocked, now);
    const overdue = this.#overdue.add(thread.decisions, now);
    const handled = blocked === null ? this.#handled : this.#handledOp(thread, blocked);
    const look = (): WorkerSnapshot => ({
      blocked: blocked && { ...blocked, observed, isKilled: handled.isKilled },
      policy: policyOf(thread, overdue),
      standby: this.target.standby,
    });
    const snapshot = look();
    const action = nextAction(snapshot, this.target.limits, now);
    this.#act(action, thread);
    if (action.do === "killTask") this.#act(nextAction(look(), this.target.limits, now), thread);
    return snapshot;
  }

  #handledOp(thread: Thread, { count }: Blocked): HandledOp {
    if (this.#handled.thread !== thread || this.#handled.count !== count)
      this.#handled = { thread, count, isKilled: false };
    return this.#handled;
  }

  #act(action: Action, thread: Thread): void {
    if (action.do === "killTask") this.#handled.isKilled = true;
    this.target.carryOut(action, thread);
  }
}
