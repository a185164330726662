import { principalIn } from "../../engine/handover/principal.js";
import { CountersignError } from "../../error.js";
import type { Tally } from "../decisions/tally.js";
import type { FromThread, ToThread } from "../messages/messages.js";
import { type CallRecording, newRecording, recordingKey } from "../task/blocking/call-recording.js";
import type { Blocked } from "../task/blocking/watch.js";
import type { BlockingWorkerPool } from "./blocking-worker-pool.js";
import type { SupervisedThread } from "./decision-thread-handle.js";
import { stalled, unanalysed } from "./denial-reasons.js";
import type { GateState } from "./gate-state.js";
import { killTask } from "./kill-task.js";
import {
  type Action,
  type BlockedWorker,
  type Limits,
  POLICY_GRACE,
  type Standby,
  type TerminationCause,
} from "./next-action.js";
import { PendingRequests } from "./pending-requests.js";
import { StandbyThread } from "./standby-thread.js";
import type { SupervisorEvent } from "./supervisor-event.js";
import { Watcher, type WatchTarget } from "./watcher.js";

/** Milliseconds after `stop` in which the decision thread must end. After that it is terminated. */
const TO_END = 2000;

/** What {@link DecisionThreads} works with. */
export interface GateParts {
  readonly state: GateState;
  readonly tally: Tally;
  readonly pool: BlockingWorkerPool;
  /** Starts a thread. `isStandby`: listeners may wait for it later. */
  start(isStandby: boolean): SupervisedThread;
  /** Whether a standby thread can start now. */
  canStartStandby(): boolean;
  onMessage(thread: SupervisedThread, message: FromThread): void;
  report(event: SupervisorEvent): void;
}

/**
 * The decision thread of a gate and its standby thread. Carries out the watcher's actions: if the thread is replaced or
 * terminated, the standby thread takes over the listeners, whose fds belong to the process and stay open, and the
 * unanswered calls.
 */
export class DecisionThreads implements WatchTarget<SupervisedThread> {
  readonly requests = new PendingRequests((message) => this.post(message));
  readonly #standby: StandbyThread;
  readonly #watcher: Watcher<SupervisedThread>;
  #current: SupervisedThread;
  #isStopped = false;
  #isEnding = false;
  #isLost = false;

  constructor(private readonly parts: GateParts) {
    this.#standby = new StandbyThread(() => this.#start(true));
    this.#current = this.#start(false);
    this.#current.hold(true);
    this.#watcher = new Watcher(this);
  }

  /** The thread that makes the decisions. */
  get current(): SupervisedThread {
    return this.#current;
  }

  post(message: ToThread): void {
    this.#current.post(message);
  }

  /** Has the decision thread serve a call again, or, if `reason` is not null, deny it for that reason. */
  serve(recording: CallRecording, reason: string | null): void {
    this.parts.state.calls.add(recording, reason);
    this.post({ do: "serve", recording, reason });
  }

  /** The tasks of a listener made the gate wait: blocking workers serve its container for some time. */
  markSlow(listener: number): void {
    this.#countSlow(listener);
    this.post(this.parts.state.slowContainersMessage);
  }

  /** Kills the task of a call that made the gate wait. Returns whether it did. */
  kill(recording: CallRecording): boolean {
    const { state, tally, report } = this.parts;
    const tid = killTask(recording, state.listeners.container(recording.listener));
    if (tid === null) return false;
    tally.add("stalls");
    report({ is: "taskKilled", tid });
    return true;
  }

  /** The decision thread ended unexpectedly, or a standby thread failed to start when it was needed. */
  lose(thread: SupervisedThread, message: string): void {
    if (thread !== this.#current || this.#isStopped || this.#isEnding || !thread.isReady || this.#isLost) return;
    this.#isLost = true;
    const error = new CountersignError("GATE_FAILED", `the decision thread is gone: ${message}`, {
      remedy: "start the gate again, and report this with its output",
    });
    this.requests.fail(error);
    this.parts.report({ is: "lost", error });
  }

  /** Stops the standby thread, so that the next one starts with the current configuration. */
  dismissStandby(): void {
    this.#standby.dismiss();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#watcher.stop();
    this.#standby.dismiss();
    this.post({ do: "stop" });
    const late = setTimeout(() => void this.#current.end(), TO_END);
    await this.#current.ended;
    this.#receive(this.#current);
    clearTimeout(late);
    this.#watcher.close();
  }

  /** The thread that the watcher observes; null if it must not be replaced now. */
  get watched(): SupervisedThread | null {
    return this.#isEnding || this.#isStopped || this.#isLost ? null : this.#current;
  }

  get standby(): Standby {
    return this.#standby.snapshot;
  }

  get limits(): Limits {
    const { stall, listeners } = this.parts.state;
    return { stall, isAlone: listeners.alone, keepsStandby: listeners.shared };
  }

  /** Carries out an action of the watcher. */
  carryOut(action: Action, thread: SupervisedThread): void {
    switch (action.do) {
      case "startStandby":
        this.#prepareStandby();
        break;
      case "stopStandby":
        this.#standby.dismiss();
        break;
      case "killTask":
        this.#killAndDeny(thread, action.blocked);
        break;
      case "replaceWorker":
        this.#replaceBlocked(thread, action.blocked);
        break;
      case "terminate":
        void this.#terminate(thread, action.cause);
        break;
      case "giveUp":
        this.lose(thread, this.#standby.failure!);
    }
  }

  /**
   * A blocking operation in the decision thread has taken longer than `gate.stall`: kills the task, which ends the
   * operation. The same thread then denies the call and logs the reason. With one container or command this comes
   * before the thread is replaced.
   */
  #killAndDeny(thread: SupervisedThread, blocked: Blocked): void {
    const call = thread.watch.callOf(blocked);
    if (call === null) return;
    const recording = newRecording(call.listener, call.notification);
    if (!this.kill(recording)) return;
    this.markSlow(call.listener);
    this.serve(recording, stalled(recording, blocked.wait, this.parts.state.stall));
  }

  /** A task makes the thread wait: another thread takes over. The replaced thread ends when its operation ends. */
  #replaceBlocked(thread: SupervisedThread, blocked: BlockedWorker): void {
    const { state, pool, report } = this.parts;
    this.#receive(thread);
    if (!thread.watch.supersede(blocked)) return;
    const { listener } = thread.watch.unfinishedCall()!;
    const recording = newRecording(listener, thread.watch.notification);
    if (!blocked.isKilled) {
      state.calls.remove(recordingKey(recording));
      this.#countSlow(listener);
    }
    pool.trackAbandonedOp(recording, state.listeners.containerKey(listener), blocked, blocked.isKilled);
    thread.hold(false);
    this.#takeOver();
    report({ is: "replaced", reason: "a task kept it waiting" });
  }

  /**
   * A policy or an analysis did not return: terminates the thread, since nothing else ends it. If the policy or
   * analysis returned before the end, the policy or program is not at fault.
   */
  async #terminate(thread: SupervisedThread, { of, count }: TerminationCause): Promise<void> {
    const { state, tally, report } = this.parts;
    this.#isEnding = true;
    await thread.end();
    this.#receive(thread);
    const call = thread.watch.unfinishedCall();
    const policy = thread.decisions.overdue(0);
    const late = of === "policy" && policy?.count === count ? policy : null;
    const container = call === null ? null : state.listeners.container(call.listener);
    const skipped = late === null ? null : state.handover.recordFailure(late, principalIn(container));
    const reason = of === "analysis" && thread.watch.look()?.count === count ? unanalysed() : null;
    for (let left = thread.watch.unsent; left > 0; left -= 1) tally.add("shadowMissed");
    if (call !== null) state.calls.inherit(thread.watch.notification, call, { skipped, reason });
    this.#isEnding = false;
    this.#takeOver();
    report({ is: "replaced", reason: reason ?? `a policy did not come back within ${POLICY_GRACE} ms of its time` });
  }

  #takeOver(): void {
    const next = this.#standby.take();
    this.#prepareStandby(); // a replacement is likely to be needed again
    this.#current = next;
    this.parts.tally.add("replacements");
    next.hold(true);
    for (const message of this.parts.state.takeoverMessages(this.requests.messages)) next.post(message);
  }

  #start(isStandby: boolean): SupervisedThread {
    const thread = this.parts.start(isStandby);
    void thread.ended.then(({ message }) => this.lose(thread, message));
    return thread;
  }

  #prepareStandby(): void {
    if (this.parts.canStartStandby()) this.#standby.ensureStarted();
  }

  #countSlow(listener: number): void {
    this.parts.state.markSlow(listener);
    this.parts.tally.add("slowTasks");
  }

  /** Handles the messages that a thread sent before it was terminated or replaced: its map writes are valid. */
  #receive(thread: SupervisedThread): void {
    for (const message of thread.received()) this.parts.onMessage(thread, message);
  }
}
