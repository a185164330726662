import { receiveMessageOnPort } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { Engine } from "../../engine/decision/engine.js";
import type { BackoffEntry } from "../../engine/handover/backoff-table.js";
import { type Principal, principalIn } from "../../engine/handover/principal.js";
import { SuspensionList } from "../../engine/handover/suspension-list.js";
import { DecisionWatch } from "../../engine/handover/watch.js";
import { failureOf } from "../../engine/threads/failure.js";
import { startFrom } from "../../engine/threads/thread-image.js";
import { completeInstalled } from "../../installed.js";
import type { Container } from "../../policy/model/current.js";
import { Impersonator } from "../../sys/credentials.js";
import { unmapExecutablePages } from "../../sys/executable.js";
import { EPOLLHUP, EPOLLIN, Poll, quieten } from "../../sys/poll.js";
import { blockSignals } from "../../sys/process.js";
import { wakeOnSameCpu } from "../../sys/seccomp.js";
import { ThreadFiles } from "../../sys/thread-files.js";
import { trimMemory } from "../../sys/trim-memory.js";
import { fastestFilter, requireNotified } from "../call/fast-filters.js";
import type { FilterKind } from "../call/filter.js";
import { containerKeyOf, Listener } from "../call/listener.js";
import { LoadThrottle } from "../call/load-throttle.js";
import { NotificationCursor } from "../call/notification-cursor.js";
import { ReleaseCounter } from "../call/release-counter.js";
import { Retries } from "../call/retries.js";
import { Facts, noKnownFacts } from "../commands/prog-load/load-facts.js";
import { GateDecisions } from "../decisions/gate-decisions.js";
import { settingsOf } from "../decisions/settings.js";
import { ShadowBacklog } from "../decisions/shadow-backlog.js";
import { Tally } from "../decisions/tally.js";
import type { FromThread, ThreadData, ToThread } from "../messages/messages.js";
import { kernelFiles, preopenedFolders } from "../messages/preopened-files.js";
import type { ShadowLink, ShadowQuestion } from "../messages/shadow-messages.js";
import { LiveKernel } from "../recognition/live-kernel.js";
import { Recogniser } from "../recognition/recogniser.js";
import { askAgent } from "../task/blocking/agent-link.js";
import { type CallRecording, recordingKey } from "../task/blocking/call-recording.js";
import { abandon, WorkerReplaced } from "../task/blocking/op-executor.js";
import { countShared } from "../task/blocking/shared-bytes.js";
import { Watch } from "../task/blocking/watch.js";
import { PidfdCache } from "../task/pidfd-cache.js";
import { ContainerObjects } from "./container-objects.js";
import { DenialReports } from "./denial-reports.js";
import { openGateEngine } from "./gate-engine.js";
import { NotificationHandler } from "./notification-handler.js";
import { QuietTimer } from "./quiet-timer.js";
import { ShadowFeed } from "./shadow-feed.js";
import { unloggedError } from "./unlogged-error.js";
import { nothingLearnt, warmUp } from "./warm-up.js";

/**
 * The loop of the decision thread. It waits for all listeners and for one eventfd that signals messages of the main
 * thread. While an operation may block, {@link Watch} shows this to the watcher.
 */
class DecisionLoop {
  readonly #listeners = new Map<number, Listener>();
  readonly #poll = new Poll(READY_AT_ONCE);
  /** Says when to report issued objects. */
  readonly #quiet = new QuietTimer();
  readonly #impersonator = new Impersonator();
  readonly #pidfdCache = new PidfdCache(new ThreadFiles());
  readonly #watch: Watch;
  readonly #tally: Tally;
  readonly #denials = new DenialReports((denial) => this.#say(denial));
  readonly #throttle: LoadThrottle;
  #slowContainers: readonly (readonly [string, BackoffEntry])[] = [];
  #suspended = new SuspensionList();
  #alone = true;
  readonly #objects = new ContainerObjects((issued) => this.#say({ is: "issued", issued }));
  /** What warming up leaves for calls. */
  readonly #learnt = nothingLearnt();
  #handler: NotificationHandler;
  #recogniser: Recogniser | null = null;
  #shadow: ShadowFeed | null = null;
  #running = true;
  #asksAgent = false;
  /** Work that is done in steps while there is no call and no message; null for none. */
  #idle: AsyncGenerator<void, void, void> | null = null;

  constructor(
    private engine: Engine,
    private readonly data: ThreadData,
  ) {
    this.#watch = new Watch(data.watch);
    this.#tally = new Tally(data.tally);
    this.#throttle = new LoadThrottle(new ReleaseCounter(data.releases), settingsOf(data.config).programReleases);
    this.#shadow = this.#feedOf(data.shadow);
    this.#handler = this.#handlerOf(data.config, this.#learnt.facts);
    this.#poll.add(data.bell);
    this.#poll.add(this.#quiet.fd);
  }

  async run(): Promise<void> {
    blockSignals();
    // later threads can read only the files that the first thread of an image reads: prepare everything here
    const whole = !this.data.isStandby || this.data.image?.installed === null;
    if (whole) {
      for await (const _ of warmUp(this.#impersonator, this.#learnt)); // no call waits: run all steps at once
      this.engine.prepare(this.#learnt.examples);
    }
    this.#say({
      is: "opened",
      fds: [this.#poll.fd, this.#quiet.fd, ...this.#pidfdCache.fds, ...this.#impersonator.fds],
    });
    if (this.data.image?.installed === null) this.#say({ is: "installed", files: completeInstalled() });
    this.#say({ is: "ready" });
    if (!whole) this.#idle = this.#warmUp();
    while (this.#running) {
      let rung = false;
      let isQuiet = false;
      const ready = this.#poll.wait(this.#idle !== null ? 0 : -1, (fd, events) => {
        if (fd === this.data.bell) rung = true;
        else if (fd === this.#quiet.fd) isQuiet = this.#quiet.expired();
        else this.#serve(fd, events);
      });
      if (ready === 0 && this.#idle !== null) {
        if ((await this.#idle.next()).done) this.#idle = null;
      }
      if (isQuiet || this.#objects.isFull) this.#objects.report();
      if (rung) await this.#listen();
    }
    this.#objects.report();
    this.engine.close();
  }

  /**
   * Prepares what the first calls would otherwise wait for, in steps between calls and messages. A thread that has no
   * listeners afterwards is on standby, possibly for long, so it trims its memory, and unmaps the pages of node's
   * executable that its start touched.
   */
  async *#warmUp(): AsyncGenerator<void, void, void> {
    yield* this.#prepareEngine();
    yield* warmUp(this.#impersonator, this.#learnt);
    if (this.#listeners.size > 0) return;
    await trimMemory();
    unmapExecutablePages();
  }

  /** Relocates the programs that decisions had no time for, one in each step. */
  async *#relocateRest(recogniser: Recogniser): AsyncGenerator<void, void, void> {
    while (recogniser.relocateNext()) yield;
  }

  async *#prepareEngine(): AsyncGenerator<void, void, void> {
    while (this.engine.prepareNext(this.#suspended.failing)) yield;
  }

  #serve(fd: number, events: number): void {
    const listener = this.#listeners.get(fd);
    if (listener === undefined) return;
    this.#objects.reportThoseOfOthers(listener.containerKey);
    // before Linux 6.11 SECCOMP_IOCTL_NOTIF_RECV would wait for ever if the listener has no task any more
    const served = (events & EPOLLIN) !== 0 && this.#thenSend(() => this.#handler.serve(listener));
    if (this.engine.log.hasIdleWork) this.#idle ??= this.#prepareEngine();
    if (this.#recogniser?.hasPending) this.#idle ??= this.#relocateRest(this.#recogniser);
    if (served || (events & EPOLLHUP) === 0) return;
    // EPOLLHUP: no task has this filter any more
    this.#poll.remove(fd);
    this.#listeners.delete(fd);
    const left = [...this.#listeners.values()].some(({ containerKey }) => containerKey === listener.containerKey);
    if (!left) for (const known of [this.#objects, this.#throttle]) known.forget(listener.containerKey);
    this.#say({ is: "hangup", fd });
  }

  async #listen(): Promise<void> {
    quieten(this.data.bell);
    for (;;) {
      const received = receiveMessageOnPort(this.data.port) as { message: ToThread } | undefined;
      if (received === undefined) return;
      await this.#obey(received.message);
    }
  }

  async #obey(message: ToThread): Promise<void> {
    switch (message.do) {
      case "inherit":
        this.engine.restore(message.commits);
        if (message.sealed !== null) this.engine.adopt(message.sealed);
        this.#suspended = new SuspensionList(message.suspensions);
        this.#objects.remember(message.issued);
        this.#throttle.inherit(message.issued);
        return;
      case "addIssued":
        this.#objects.remember(message.issued);
        this.#throttle.inherit(message.issued);
        return;
      case "listen":
        return this.#listenTo(message);
      case "reload":
        return this.#reload(message);
      case "setSlowContainers":
        this.#slowContainers = message.slowContainers;
        for (const listener of this.#listeners.values()) this.#markSlow(listener);
        return;
      case "serve":
        return this.#resume(message.recording, message.reason);
      case "flush":
        this.#say({ is: "done", requestId: message.requestId });
        return;
      case "logDifference":
        if (!this.engine.log.shadow(message.difference)) this.#tally.add("shadowMissed");
        return;
      case "trimMemory":
        return trimMemory().catch(() => undefined); // after a failure more memory stays in use, which is harmless
      case "stop":
        this.#running = false;
    }
  }

  #listenTo({ requestId, fd, container, cursor, filter, releases }: ToThread & { do: "listen" }): void {
    try {
      requireNotified(fastestFilter(this.engine), [{ filter, container }]);
      this.#askAgent();
      this.#throttle.serve(containerKeyOf(container), releases);
      this.#hear(fd, frozen(container), cursor, filter);
      this.#say({ is: "done", requestId });
    } catch (error) {
      this.#say({ is: "failed", id: requestId, error: failureOf(error) });
    }
  }

  /** Has the agent of a sealed machine make this thread's bpf(2) calls, but not those by which it warms up. */
  #askAgent(): void {
    if (this.data.agent === null || this.#asksAgent) return;
    this.#asksAgent = true;
    this.#idle = null;
    askAgent(this.data.agent);
  }

  /** Adds a listener. If it is served already, only replaces its container's facts, because labels can change. */
  #hear(fd: number, container: Container | null, cursor: number, filter: FilterKind): void {
    const known = this.#listeners.get(fd);
    if (known !== undefined) {
      known.container = container;
      return;
    }
    wakeOnSameCpu(fd);
    const objects = this.#objects.of(containerKeyOf(container));
    const listener = new Listener(fd, container, objects, new NotificationCursor(cursor), filter);
    this.#markSlow(listener);
    for (const other of this.#listeners.values()) this.#alone &&= other.containerKey === listener.containerKey;
    this.#listeners.set(fd, listener);
    this.#poll.addBusy(fd);
  }

  #markSlow(listener: Listener): void {
    const found = this.#slowContainers.find(([who]) => who === listener.containerKey);
    listener.slowUntil = Math.max(listener.slowUntil, found?.[1].until ?? 0);
  }

  #resume(recording: CallRecording, reason: string | null): void {
    for (const { outcome } of recording.results) countShared(outcome);
    const listener = this.#listeners.get(recording.listener);
    if (listener !== undefined) {
      this.#objects.reportThoseOfOthers(listener.containerKey);
      this.#thenSend(() => this.#handler.resume(listener, recording, reason));
    } else {
      abandon(recording);
      this.#say({ is: "served", recording: recordingKey(recording) });
    }
  }

  /** Replaces the configuration. If the new engine cannot be opened, the current engine stays in use. */
  async #reload({ requestId, config, sealed, shadow }: ToThread & { do: "reload" }): Promise<void> {
    try {
      const watch = new DecisionWatch(this.data.decisions);
      const next = await openGateEngine(this.#listeners.values(), config, shadow, { sealed, watch });
      const last = this.engine;
      this.engine = next;
      this.#throttle.limit = settingsOf(config).programReleases;
      this.#suspended = new SuspensionList();
      this.#shadow = this.#feedOf(shadow);
      this.#handler = this.#handlerOf(config);
      last.close();
      this.#say({ is: "read", texts: next.texts, warnings: next.warnings });
      this.#say({ is: "filter", fastest: fastestFilter(next) });
      this.#say({ is: "done", requestId });
      // prepare only after `done`: from then on the supervisor uses the attachment numbers of the new configuration
      this.#idle ??= this.#prepareEngine();
    } catch (error) {
      this.#say({ is: "failed", id: requestId, error: failureOf(error) });
    }
  }

  /** `known`: facts that were computed with the same configuration, or without any. */
  #handlerOf(config: Config, known = noKnownFacts()): NotificationHandler {
    const tally = this.#tally;
    const { engine } = this;
    let [failures, unlogged, torn] = [0, 0, 0];
    const countTorn = () => {
      for (; torn < engine.log.torn; torn += 1) tally.add("torn");
    };
    countTorn();
    let { sealedVersion } = engine;
    const decisions = new GateDecisions(
      engine,
      (decision) => {
        tally.decision(decision);
        countTorn();
        for (; failures < engine.log.keyringFailures; failures += 1) tally.add("keyringFailures");
        if (sealedVersion !== engine.sealedVersion) this.#say({ is: "sealed", sealed: engine.sealed });
        ({ sealedVersion } = engine);
        if (unlogged < engine.log.failures) {
          if (unlogged === 0) this.#say({ is: "unlogged", error: failureOf(unloggedError(engine.log.failure)) });
          for (; unlogged < engine.log.failures; unlogged += 1) tally.add("logFailures");
        }
        const wrote = decision.answers.filter(({ writes }) => writes.length > 0);
        if (wrote.length > 0)
          this.#say({
            is: "mapWrites",
            answers: wrote.map(({ attachment, mode, writes }) => ({ attachment, mode, writes })),
          });
        this.#tellHarm(engine.takeHarmful(), principalIn(decision.current.container));
        this.#denials.report(decision);
      },
      (overdue, { container }) => this.#suspended.skipped(overdue, principalIn(container)),
      this.#shadow,
    );
    const settings = { ...settingsOf(config), agent: this.data.agent !== null };
    const kernel = new LiveKernel(kernelFiles(this.data.preopened));
    const recogniser = new Recogniser(this.engine.statements.all, kernel);
    this.#recogniser = recogniser;
    // now rather than in a call: tasks may have loaded many BTF objects
    if (!recogniser.isEmpty) kernel.list();
    const { signatures } = this.engine;
    const compared = recogniser.isEmpty ? null : recogniser;
    const facts = new Facts(signatures, settings.keyrings, kernel, compared, known);
    const alone = () => this.#alone;
    const services = {
      decisions,
      settings,
      impersonator: this.#impersonator,
      watch: this.#watch,
      tally,
      retries: new Retries(),
      throttle: this.#throttle,
      alone,
      logThrottle: (container: Container | null) => engine.log.throttle(container, settings.programReleases),
    };
    return new NotificationHandler(services, facts, this.#pidfdCache, (message) => this.#say(message));
  }

  #feedOf(shadow: ShadowLink | null): ShadowFeed | null {
    if (shadow === null) return null;
    const say = (question: ShadowQuestion) => this.#say({ is: "shadow", id: shadow.id, question });
    return new ShadowFeed(new ShadowBacklog(shadow.backlog), this.#tally, this.#watch, say);
  }

  /**
   * Sends what a turn decided to the shadow; also if this thread was replaced, since no other decides it again. Objects
   * that it issued are reported later.
   */
  #thenSend<T>(turn: () => T): T {
    try {
      return turn();
    } finally {
      if (this.#objects.hasUnreported) this.#quiet.served();
      this.#shadow?.send();
    }
  }

  #tellHarm(attachments: readonly number[], principal: Principal): void {
    if (attachments.length === 0) return;
    for (const attachment of attachments) this.#suspended.recordFailure(attachment, principal);
    this.#say({ is: "policyFailures", attachments, principal });
  }

  #say(message: FromThread): void {
    this.data.port.postMessage(message);
  }
}

/** Maximum number of listeners that are served before messages are read. */
const READY_AT_ONCE = 64;
/** Freezes the container's facts, so that the engine can cache the attachments that apply to it (AttachmentIndex). */
function frozen(container: Container | null): Container | null {
  if (container === null) return null;
  if (container.labels !== null) Object.freeze(container.labels);
  return Object.freeze(container);
}

/** Runs the decision thread until it is told to stop. Reports an error that ends it. */
export async function begin(data: ThreadData): Promise<void> {
  try {
    startFrom(data.image);
    const watch = new DecisionWatch(data.decisions);
    const folders = data.preopened === null ? null : preopenedFolders(data.preopened);
    const { config, sealed, texts, shadow } = data;
    const engine = await openGateEngine([], config, shadow, { sealed, watch, texts, folders });
    if (texts === null) {
      const { texts, warnings } = engine;
      data.port.postMessage({ is: "read", texts, warnings } satisfies FromThread);
      data.port.postMessage({ is: "filter", fastest: fastestFilter(engine) } satisfies FromThread);
    }
    await new DecisionLoop(engine, data).run();
  } catch (error) {
    // a replaced thread only ends: another thread serves its listeners already
    if (!(error instanceof WorkerReplaced)) data.port.postMessage({ is: "failed", id: null, error: failureOf(error) });
  }
}
