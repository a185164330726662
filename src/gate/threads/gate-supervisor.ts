import type { Config } from "../../config/config.js";
import { type BackoffPolicy, BackoffTable } from "../../engine/backoff-table.js";
import { errorOf } from "../../engine/failure.js";
import type { FileSnapshot } from "../../engine/file-cache.js";
import { type SealedRules, sealedRules } from "../../engine/keyrings.js";
import { ThreadHandoverState } from "../../engine/thread-handover-state.js";
import { CountersignError } from "../../error.js";
import type { Container } from "../../policy/current.js";
import type { IssuedObject } from "../call/issued-objects.js";
import type { FilterKind } from "../filter.js";
import { settingsOf } from "../settings.js";
import { Tally } from "../tally.js";
import { BlockingWorkerPool, stalled, unanalysed } from "./blocking-worker-pool.js";
import { type CallRecording, newRecording, recordingKey } from "./call-recording.js";
import { DecisionThreadHandle } from "./decision-thread-handle.js";
import { Images } from "./images.js";
import { IssuedByContainer } from "./issued-by-container.js";
import { killTask } from "./kill-task.js";
import { ListenerRegistry, NO_FILE } from "./listener-registry.js";
import type { FromThread, Wrote } from "./messages.js";
import { PendingRequests } from "./pending-requests.js";
import { type PreopenedFiles, preopenFiles } from "./preopened-files.js";
import { StandbyThread } from "./standby-thread.js";
import type { SupervisorEvents } from "./supervisor-events.js";
import { trimMemory } from "./trim-memory.js";
import { UnansweredCalls } from "./unanswered-calls.js";
import type { Blocked } from "./watch.js";
import { GRACE, Watcher, type WatchTarget } from "./watcher.js";

/** Milliseconds after `stop` in which the decision thread must end. After that it is terminated. */
const TO_END = 2000;

/** For how many milliseconds blocking workers serve a container after its tasks made the gate wait. */
const SLOW_BACKOFF: BackoffPolicy = { free: 0, first: 10_000, longest: 60 * 60 * 1000 };

/**
 * Runs in the main thread: starts the decision thread, passes listeners to it, and watches it. If a policy exceeds its
 * time limit, the decision thread is terminated. If a task makes the decision thread wait, the thread is replaced, and
 * blocking workers then run the blocking operations of that container. In both cases another thread takes over the
 * listeners, whose fds belong to the process and stay open, and the unanswered calls.
 */
export class GateSupervisor {
  readonly tally = new Tally();
  readonly #listeners = new ListenerRegistry();
  readonly #issued = new IssuedByContainer();
  readonly #slowContainers = new BackoffTable<string>(SLOW_BACKOFF);
  readonly #pool: BlockingWorkerPool;
  readonly #calls = new UnansweredCalls();
  readonly #requests = new PendingRequests((message) => this.#thread.tell(message));
  #handover: ThreadHandoverState;
  #sealed: SealedRules;
  /** Files opened before the command of `run` starts; null for an agent, whose configuration can name others later. */
  readonly #preopened: PreopenedFiles | null;
  readonly #images: Images | null;
  #texts: FileSnapshot | null = null;
  #fastest: FilterKind = "full";
  #thread: DecisionThreadHandle;
  readonly #standby = new StandbyThread(() => this.#start(true));
  readonly #watcher: Watcher<DecisionThreadHandle>;
  #stopped = false;
  #ending = false;
  #isLost = false;
  /** Whether the event `unlogged` was reported already. */
  #unlogged = false;
  /** {@link Blocked.count} of the last blocking operation whose task was killed; 0 for none. */
  #killed = 0;

  private constructor(
    private config: Config,
    private readonly events: SupervisorEvents,
  ) {
    this.#handover = this.#handoverOf(config);
    this.#sealed = sealedRules(config.keyrings);
    this.#preopened = config.origin === "run" ? preopenFiles(config) : null;
    this.#images = config.origin === "run" ? new Images() : null;
    this.#pool = new BlockingWorkerPool(
      {
        done: (recording) => this.#serve(recording, null),
        failed: (recording, reason) => this.#serve(recording, reason),
        overdue: (recording) => void this.#kill(recording),
      },
      () => settingsOf(this.config).stall,
      this.#images?.blockingWorker ?? null,
    );
    this.#thread = this.#start(false);
    this.#thread.hold(true);
    this.#watcher = new Watcher(this.#watchTarget);
  }

  /** Starts a gate and waits until it can decide. Throws the errors of `Engine.open`, and HOOK_NOT_ENFORCED. */
  static async start(config: Config, events: SupervisorEvents): Promise<GateSupervisor> {
    const thread = new GateSupervisor(config, events);
    const failure = await thread.#thread.ready();
    thread.#thread.hold(true);
    if (failure === null) return thread;
    await thread.stop();
    throw errorOf(failure);
  }

  /** The number of containers that blocking workers serve. */
  get slowContainers(): number {
    return this.#slowContainers.suspended(Date.now()).length;
  }

  /**
   * Serves a listener. If it is served already, replaces its container's facts. Resolves when that is done. `cursor`:
   * the fd of a file for the listener's `NotificationCursor`, which the caller closes. Throws HOOK_NOT_ENFORCED if the
   * filter does not notify the gate of all calls that the configuration decides on; the listener is not served then.
   */
  async listen(fd: number, container: Container | null, filter: FilterKind, cursor = NO_FILE): Promise<void> {
    this.#listeners.add({ fd, container, cursor, filter });
    const listener = { fd, container, cursor: this.#listeners.cursor(fd), filter };
    try {
      await this.#requests.send((requestId) => ({ do: "listen", requestId, ...listener }));
    } catch (error) {
      this.#listeners.remove(fd);
      throw error;
    }
  }

  /** The filter with the fewest notifications that still notifies the gate of all calls that are decided on. */
  get fastest(): FilterKind {
    return this.#fastest;
  }

  /** The contents of the files of policies and maps, as they were when the configuration was read. */
  get texts(): FileSnapshot {
    return this.#texts ?? new Map();
  }

  /** All writes of attachments to maps, without those that were overwritten later. */
  get wrote(): readonly Wrote[] {
    const modes = new Map(this.config.attachments.map(({ name, mode }) => [name, mode]));
    return this.#handover.commits().map((commit) => ({ ...commit, mode: modes.get(commit.attachment)! }));
  }

  /** Applies the map writes of an earlier gate. Call this before the first listener is served. */
  rewrite(wrote: readonly Wrote[]): void {
    this.#handover.record({ answers: wrote });
    this.#thread.tell({
      do: "inherit",
      commits: this.#handover.commits(),
      suspensions: [],
      issued: [],
      sealed: null,
    });
  }

  /** The objects issued to a container that still exist. */
  issuedTo(containerKey: string): readonly IssuedObject[] {
    return this.#issued.to(containerKey).map(([, object]) => object);
  }

  /** Adds objects that an earlier gate issued. */
  remember(containerKey: string, issued: readonly IssuedObject[]): void {
    if (issued.length === 0) return;
    this.#issued.add(issued.map((object) => [containerKey, object]));
    this.#thread.tell({ do: "remember", issued: this.#issued.to(containerKey) });
  }

  /** Replaces the configuration. If it throws, the current configuration stays in use. */
  async reload(config: Config): Promise<void> {
    const sealed = sealedRules(config.keyrings, this.#sealed);
    await this.#requests.send((requestId) => ({ do: "reload", requestId, config, sealed }));
    this.config = config;
    this.#sealed = sealed;
    // a reload sets the maps to the contents of their files, so earlier writes no longer count
    this.#handover = this.#handoverOf(config);
    this.#standby.dismiss();
  }

  /** Trims the memory of the main thread and of the decision thread, which answers no call meanwhile. */
  trimMemory(): Promise<void> {
    this.#thread.tell({ do: "settle" });
    return trimMemory();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watcher.stop();
    this.#standby.dismiss();
    this.#thread.tell({ do: "stop" });
    const late = setTimeout(() => void this.#thread.end(), TO_END);
    await Promise.all([this.#thread.ended, this.#pool.stop()]);
    this.#receive(this.#thread);
    clearTimeout(late);
  }

  #handoverOf(config: Config): ThreadHandoverState {
    return new ThreadHandoverState(config, () => this.texts);
  }

  #start(awaited: boolean): DecisionThreadHandle {
    const { config, tally } = this;
    const data = { config, sealed: this.#sealed, texts: this.#texts, preopened: this.#preopened, awaited, tally };
    const thread: DecisionThreadHandle = new DecisionThreadHandle(
      data,
      (thread, message) => this.#hear(thread, message),
      this.#images?.decision ?? null,
    );
    void thread.ended.then(({ message }) => this.#lost(thread, message));
    return thread;
  }

  #hear(thread: DecisionThreadHandle, message: FromThread): void {
    if (message.is === "left") this.#pool.onAbandonedOpDone(message.recording);
    if (thread !== this.#thread) return;
    switch (message.is) {
      case "read":
        this.#texts = message.texts;
        message.warnings.forEach(this.events.warned);
        break;
      case "sealed":
        this.#sealed = message.sealed;
        break;
      case "filter":
        this.#fastest = message.fastest;
        break;
      case "installed":
        this.#images?.complete(message.files);
        break;
      case "over":
        this.#forget(message.fd);
        this.events.done(message.fd);
        break;
      case "handed":
        for (const [containerKey, issued] of this.#issued.add(message.issued)) this.events.issued(containerKey, issued);
        break;
      case "wrote":
        this.#handover.record(message);
        this.events.wrote(message.answers);
        break;
      case "harm":
        this.#handover.recordFailures(message.attachments);
        break;
      case "denial":
        this.events.denial(message);
        break;
      case "unlogged":
        if (!this.#unlogged) this.events.unlogged(errorOf(message.error));
        this.#unlogged = true;
        break;
      case "served":
        this.#calls.remove(message.recording);
        this.#pool.leave(message.recording);
        break;
      case "awaits":
        this.#calls.remove(recordingKey(message.recording));
        this.#pool.send(
          message.recording,
          message.serialized,
          this.#listeners.containerKey(message.recording.listener),
        );
        break;
      case "slow":
        this.#markSlow(message.fd);
        break;
      case "done":
        this.#requests.done(message.requestId);
        break;
      case "failed":
        if (message.id === null) this.#lost(thread, message.error.message);
        else this.#requests.done(message.id, errorOf(message.error));
    }
  }

  #forget(fd: number): void {
    const containerKey = this.#listeners.remove(fd);
    if (containerKey !== null) this.#issued.forget(containerKey);
  }

  /** Has the decision thread serve a call again, or, if `reason` is not null, deny it for that reason. */
  #serve(recording: CallRecording, reason: string | null): void {
    this.#calls.add(recording, reason);
    this.#thread.tell({ do: "serve", recording, reason });
  }

  #markSlow(listener: number): void {
    this.#slowContainers.recordFailure(this.#listeners.containerKey(listener), Date.now());
    this.tally.add("suspicions");
    this.#thread.tell({ do: "suspect", slowContainers: this.#slowContainers.records });
  }

  #kill(recording: CallRecording): boolean {
    const tid = killTask(recording, this.#listeners.container(recording.listener));
    if (tid === null) return false;
    this.tally.add("stalls");
    this.events.killed(tid);
    return true;
  }

  /** What the watcher observes, and the actions that it may take. */
  get #watchTarget(): WatchTarget<DecisionThreadHandle> {
    return {
      thread: () => (this.#ending || this.#stopped || this.#isLost ? null : this.#thread),
      alone: () => this.#listeners.alone,
      stall: () => settingsOf(this.config).stall,
      prepare: () => this.#prepareStandby(),
      rest: () => (this.#listeners.shared ? this.#prepareStandby() : this.#standby.rest()),
      canReplace: () => {
        if (this.#standby.failure !== null) this.#lost(this.#thread, this.#standby.failure);
        return this.#standby.isReady;
      },
      killAndDeny: (thread, blocked) => this.#killAndDeny(thread, blocked),
      replaceBlocked: (thread, blocked) => this.#replaceBlocked(thread, blocked),
      end: (thread, isStill) => void this.#end(thread, isStill),
    };
  }

  /**
   * The decision thread was not replaced in time: kills the task, which ends the operation. The same thread then denies
   * the call and logs the reason.
   */
  #killAndDeny(thread: DecisionThreadHandle, blocked: Blocked): void {
    const call = thread.watch.callOf(blocked);
    if (this.#killed === blocked.count || call === null) return;
    this.#killed = blocked.count;
    const recording = newRecording(call.listener, call.notification);
    if (!this.#kill(recording)) return;
    this.#markSlow(call.listener);
    this.#serve(recording, stalled(recording, blocked.wait, settingsOf(this.config).stall));
  }

  /** A task makes the thread wait: another thread takes over. The replaced thread ends when its operation ends. */
  #replaceBlocked(thread: DecisionThreadHandle, blocked: Blocked): void {
    this.#receive(thread);
    if (!thread.watch.supersede(blocked)) return;
    const { listener } = thread.watch.left()!;
    const recording = newRecording(listener, thread.watch.notification);
    if (this.#killed !== blocked.count) {
      this.#calls.remove(recordingKey(recording));
      this.#slowContainers.recordFailure(this.#listeners.containerKey(listener), Date.now());
      this.tally.add("suspicions");
    }
    this.#pool.trackAbandonedOp(
      recording,
      this.#listeners.containerKey(listener),
      blocked,
      this.#killed === blocked.count,
    );
    thread.hold(false);
    this.#takeOver();
    this.events.replaced("a task kept it waiting");
  }

  /** A policy or an analysis did not return: terminates the thread, since nothing else ends it. */
  async #end(thread: DecisionThreadHandle, isStill: () => boolean): Promise<void> {
    this.#ending = true;
    await thread.end();
    this.#receive(thread);
    const left = thread.watch.left();
    const late = isStill() ? thread.decisions.overdue(0) : null;
    const skipped = late === null ? null : this.#handover.recordFailure(late);
    const reason = isStill() && thread.watch.look()?.wait === "analysis" ? unanalysed() : null;
    if (left !== null) this.#calls.inherit(thread.watch.notification, left, { skipped, reason });
    this.#ending = false;
    this.#takeOver();
    this.events.replaced(reason ?? `a policy did not come back within ${GRACE} ms of its time`);
  }

  /** Handles the messages that a thread sent before it was terminated or replaced: its map writes are valid. */
  #receive(thread: DecisionThreadHandle): void {
    for (const message of thread.received()) this.#hear(thread, message);
  }

  #prepareStandby(): void {
    if (this.#images?.isComplete !== false) this.#standby.want();
  }

  #takeOver(): void {
    const next = this.#standby.take();
    this.#prepareStandby(); // a replacement is likely to be needed again
    this.#thread = next;
    this.#killed = 0;
    this.tally.add("replacements");
    next.hold(true);
    const issued = this.#issued.all;
    const { suspensions } = this.#handover;
    next.tell({ do: "inherit", commits: this.#handover.commits(), suspensions, issued, sealed: this.#sealed });
    next.tell({ do: "suspect", slowContainers: this.#slowContainers.records });
    for (const listener of this.#listeners.all) next.tell({ do: "listen", requestId: 0, ...listener });
    this.#requests.resend();
    for (const call of this.#calls.all) next.tell({ do: "serve", ...call });
  }

  /** The decision thread ended unexpectedly, or a standby thread failed to start when it was needed. */
  #lost(thread: DecisionThreadHandle, message: string): void {
    if (thread !== this.#thread || this.#stopped || this.#ending || !thread.isReady || this.#isLost) return;
    this.#isLost = true;
    const error = new CountersignError("GATE_FAILED", `the decision thread is gone: ${message}`, {
      remedy: "see docs/errors/GATE_FAILED.md",
    });
    this.#requests.fail(error);
    this.events.lost(error);
  }
}
