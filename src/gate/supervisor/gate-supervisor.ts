import type { Config } from "../../config/config.js";
import { NO_SUSPENSIONS } from "../../engine/handover/suspension-list.js";
import type { FileSnapshot } from "../../engine/load/file-cache.js";
import { sealedRules } from "../../engine/load/keyrings.js";
import { errorOf } from "../../engine/threads/failure.js";
import type { ShadowDifference } from "../../log/shadow-record.js";
import { monotonic } from "../../monotonic.js";
import type { Container } from "../../policy/model/current.js";
import { trimMemory } from "../../sys/trim-memory.js";
import type { FilterKind } from "../call/filter.js";
import type { IssuedObject } from "../call/issued-objects.js";
import { containerKeyOf } from "../call/listener.js";
import { Tally } from "../decisions/tally.js";
import type { AttachmentWrites, FromThread } from "../messages/messages.js";
import { type PreopenedFiles, preopenFiles } from "../messages/preopened-files.js";
import type { AgentLink } from "../task/blocking/agent-link.js";
import { recordingKey } from "../task/blocking/call-recording.js";
import { countShared } from "../task/blocking/shared-bytes.js";
import { type BlockingOpEvent, BlockingWorkerPool } from "./blocking-worker-pool.js";
import { DecisionThreadHandle, type SupervisedThread } from "./decision-thread-handle.js";
import { DecisionThreads } from "./decision-threads.js";
import { GateState } from "./gate-state.js";
import { Images } from "./images.js";
import { NO_FILE } from "./listener-registry.js";
import { Shadow, type ShadowParts } from "./shadow.js";
import type { SupervisorEvent } from "./supervisor-event.js";
import { ThrottledLoads } from "./throttled-loads.js";

/** What a gate has before its first decision thread starts. */
interface Begun {
  readonly tally: Tally;
  /** Files opened before the command of `run` starts; null for an agent, whose configuration can name others later. */
  readonly preopened: PreopenedFiles | null;
  readonly images: Images | null;
  /** The agent of a sealed machine that the gate asks about its own calls; null for none. */
  readonly agent: AgentLink | null;
  differs(difference: ShadowDifference): void;
}

function shadowParts(
  { tally, preopened, images, differs }: Begun,
  report: (event: SupervisorEvent) => void,
): ShadowParts {
  return {
    ...{ tally, preopened, image: images?.decision ?? null, differs },
    warn: (warning) => report({ is: "warning", warning }),
    stopped: (error) => report({ is: "shadowStopped", error }),
  };
}

/** Milliseconds that the decision thread may take to send its last decisions to the shadow. */
const TO_FLUSH = 1000;

/** Starts a decision thread. Tests replace it. */
export type StartThread = (...given: ConstructorParameters<typeof DecisionThreadHandle>) => SupervisedThread;

/**
 * Runs in the main thread: starts the decision thread, passes listeners to it, and handles its messages. If a policy
 * exceeds its time limit, the decision thread is terminated. If a task makes the decision thread wait, the thread is
 * replaced, and blocking workers then run the blocking operations of that container.
 */
export class GateSupervisor {
  readonly #state: GateState;
  readonly #pool: BlockingWorkerPool;
  readonly #threads: DecisionThreads;
  readonly #throttled = new ThrottledLoads((recording) => this.#threads.serve(recording, null));
  /** Whether the event `unlogged` was reported already. */
  #unlogged = false;

  private constructor(
    config: Config,
    private readonly report: (event: SupervisorEvent) => void,
    private readonly startThread: StartThread,
    private readonly begun: Begun,
    /** Null if the configuration has none. */
    private shadow: Shadow | null,
  ) {
    this.#state = new GateState(config);
    this.#pool = new BlockingWorkerPool(
      (event) => this.#onBlockingOp(event),
      () => this.#state.stall,
      begun.images?.blockingWorker ?? null,
      begun.agent,
    );
    this.#threads = new DecisionThreads({
      state: this.#state,
      tally: this.tally,
      pool: this.#pool,
      start: (isStandby) => this.#start(isStandby),
      canStartStandby: () => begun.images?.isComplete !== false,
      onMessage: (thread, message) => this.#onMessage(thread, message),
      report,
    });
  }

  /**
   * Starts a gate and waits until it can decide. `agent`: the agent of a sealed machine that the gate asks about its
   * own calls, once it serves a listener. Throws the errors of `Engine.open`, HOOK_NOT_ENFORCED, and CONFIG_INVALID if
   * the shadow would not be asked.
   */
  static async start(
    config: Config,
    onEvent: (event: SupervisorEvent) => void,
    startThread: StartThread = (...given) => new DecisionThreadHandle(...given),
    agent: AgentLink | null = null,
  ): Promise<GateSupervisor> {
    let supervisor: GateSupervisor | null = null;
    const isRun = config.origin === "run";
    const begun = {
      ...{ tally: new Tally(), preopened: isRun ? preopenFiles(config) : null, images: isRun ? new Images() : null },
      agent,
      differs: (difference: ShadowDifference) => supervisor?.log(difference),
    };
    const shadow =
      config.shadow === null ? null : await Shadow.start(config.shadow, config, shadowParts(begun, onEvent));
    supervisor = new GateSupervisor(config, onEvent, startThread, begun, shadow);
    const failure = await supervisor.#threads.current.ready();
    supervisor.#threads.current.hold(true);
    if (failure === null) return supervisor;
    await supervisor.stop();
    throw errorOf(failure);
  }

  get tally(): Tally {
    return this.begun.tally;
  }

  /** The number of containers that blocking workers serve. */
  get slowContainers(): number {
    return this.#state.slowContainers.suspended(monotonic()).length;
  }

  /**
   * Serves a listener. If it is served already, replaces its container's facts. Resolves when that is done. `cursor`:
   * the fd of a file for the listener's `NotificationCursor`, which the caller closes. Throws HOOK_NOT_ENFORCED if the
   * filter does not notify the gate of all calls that the configuration decides on; the listener is not served then.
   */
  async listen(fd: number, container: Container | null, filter: FilterKind, cursor = NO_FILE): Promise<void> {
    const { listeners } = this.#state;
    const listener = listeners.add({ fd, container, cursor, filter });
    try {
      await this.#threads.requests.send((requestId) => ({ do: "listen", requestId, ...listener }));
    } catch (error) {
      listeners.remove(fd);
      throw error;
    }
  }

  /** The filter with the fewest notifications that still notifies the gate of all calls that are decided on. */
  get fastest(): FilterKind {
    return this.#state.fastest;
  }

  /** The contents of the files of policies and maps, as they were when the configuration was read. */
  get texts(): FileSnapshot {
    return this.#state.texts ?? new Map();
  }

  /** All writes of attachments to maps, without those that were overwritten later. */
  get mapWrites(): readonly AttachmentWrites[] {
    return this.#state.mapWrites;
  }

  /** Applies the map writes of an earlier gate. Call this before the first listener is served. */
  restoreMapWrites(answers: readonly AttachmentWrites[]): void {
    const { handover } = this.#state;
    handover.record({ answers });
    this.#threads.post({
      do: "inherit",
      commits: handover.commits(),
      suspensions: NO_SUSPENSIONS,
      issued: [],
      sealed: null,
    });
  }

  /** The objects issued to a container that still exist. */
  issuedTo(containerKey: string): readonly IssuedObject[] {
    return this.#state.issued.to(containerKey).map(([, object]) => object);
  }

  /** Adds objects that an earlier gate issued. */
  addIssued(containerKey: string, objects: readonly IssuedObject[]): void {
    if (objects.length === 0) return;
    const { issued } = this.#state;
    issued.add(objects.map((object) => [containerKey, object]));
    this.#threads.post({ do: "addIssued", issued: issued.to(containerKey) });
  }

  /** Replaces the configuration and its shadow. If it throws, the current ones stay in use. */
  async reload(config: Config): Promise<void> {
    const sealed = sealedRules(config.keyrings, this.#state.sealed);
    const parts = shadowParts(this.begun, this.report);
    const next = config.shadow === null ? null : await Shadow.start(config.shadow, config, parts);
    const shadow = next?.link ?? null;
    try {
      await this.#threads.requests.send((requestId) => ({ do: "reload", requestId, config, sealed, shadow }));
    } catch (error) {
      await next?.end();
      throw error;
    }
    void this.shadow?.finish();
    this.shadow = next;
    this.#state.reload(config, sealed);
    this.#threads.dismissStandby();
  }

  /** Trims the memory of the main thread and of the decision thread, which answers no call meanwhile. */
  trimMemory(): Promise<void> {
    this.#threads.post({ do: "trimMemory" });
    return trimMemory();
  }

  /** Has the decision thread, the only writer of the log, log a difference. */
  private log(difference: ShadowDifference): void {
    this.#threads.post({ do: "logDifference", difference });
  }

  async stop(): Promise<void> {
    if (this.shadow !== null) await this.#finishShadow(this.shadow);
    this.#throttled.stop();
    await Promise.all([this.#threads.stop(), this.#pool.stop()]);
  }

  /** Has the shadow decide what is left while the decision thread can still log the differences. */
  async #finishShadow(shadow: Shadow): Promise<void> {
    const flushed = this.#threads.requests.send((requestId) => ({ do: "flush", requestId }));
    const late = new Promise((resolve) => setTimeout(resolve, TO_FLUSH).unref());
    await Promise.race([flushed, this.#threads.current.ended, late]).catch(() => undefined);
    await shadow.finish();
  }

  #start(isStandby: boolean): SupervisedThread {
    const { config, sealed, texts, releases } = this.#state;
    const { preopened, images, agent } = this.begun;
    return this.startThread(
      {
        ...{ config, sealed, texts, preopened, isStandby, agent, releases },
        ...{ tally: this.tally, shadow: this.shadow?.link ?? null },
      },
      (thread, message) => this.#onMessage(thread, message),
      images?.decision ?? null,
    );
  }

  /** A thread that was replaced can still send to the shadow before a reload, whose room is not that of this one. */
  #askShadow({ id, question }: FromThread & { is: "shadow" }): void {
    if (this.shadow?.link.id === id) this.shadow.decide(question);
    else this.tally.add("shadowMissed");
  }

  #onMessage(thread: SupervisedThread, message: FromThread): void {
    const state = this.#state;
    const threads = this.#threads;
    if (message.is === "abandonedOpDone") this.#pool.onAbandonedOpDone(message.recording);
    if (message.is === "shadow") this.#askShadow(message);
    if (thread !== threads.current) return;
    switch (message.is) {
      case "read":
        state.texts = message.texts;
        for (const warning of message.warnings) this.report({ is: "warning", warning });
        break;
      case "sealed":
        state.sealed = message.sealed;
        break;
      case "filter":
        state.fastest = message.fastest;
        break;
      case "installed":
        this.begun.images?.complete(message.files);
        break;
      case "hangup":
        state.removeListener(message.fd);
        this.report(message);
        break;
      case "issued":
        for (const [containerKey, issued] of state.issued.add(message.issued))
          this.report({ is: "issued", containerKey, issued });
        break;
      case "mapWrites":
        state.handover.record(message);
        this.report(message);
        break;
      case "policyFailures":
        state.handover.recordFailures(message.attachments, message.principal);
        break;
      case "denial":
        this.report(message);
        break;
      case "unlogged":
        if (!this.#unlogged) this.report({ is: "unlogged", error: errorOf(message.error) });
        this.#unlogged = true;
        break;
      case "served":
        state.calls.remove(message.recording);
        this.#pool.leave(message.recording);
        this.#throttled.leave(message.recording);
        break;
      case "throttled": {
        const { recording, pause, isFirst } = message;
        const container = state.listeners.container(recording.listener);
        state.calls.remove(recordingKey(recording));
        this.#throttled.wait(recording, containerKeyOf(container), pause);
        if (isFirst) this.report({ is: "throttled", container: container?.name ?? container?.id ?? null });
        break;
      }
      case "opNeeded": {
        const { recording, serialized } = message;
        this.#throttled.leave(recordingKey(recording));
        for (const { outcome } of recording.results) countShared(outcome);
        state.calls.remove(recordingKey(recording));
        this.#pool.send(recording, serialized, state.listeners.containerKey(recording.listener));
        break;
      }
      case "slowListener":
        threads.markSlow(message.fd);
        break;
      case "done":
        threads.requests.done(message.requestId);
        break;
      case "failed":
        if (message.id === null) threads.lose(thread, message.error.message);
        else threads.requests.done(message.id, errorOf(message.error));
    }
  }

  #onBlockingOp(event: BlockingOpEvent): void {
    if (event.is === "overdue") this.#threads.kill(event.recording);
    else this.#threads.serve(event.recording, event.is === "failed" ? event.reason : null);
  }
}
