import { isMainThread, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Config } from "../../config/config.js";
import type { BackoffEntry } from "../../engine/backoff-table.js";
import { requireEnforced } from "../../engine/enforced-hooks.js";
import { Engine } from "../../engine/engine.js";
import { failureOf } from "../../engine/failure.js";
import { SuspensionList } from "../../engine/thread-handover-state.js";
import { DecisionWatch } from "../../engine/watch.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Decision } from "../../hooks/decision.js";
import { completeInstalled, giveInstalled, keepInstalled } from "../../installed.js";
import type { Container } from "../../policy/current.js";
import { fastestFilter, requireNotified } from "../call/fast-filters.js";
import { IssuedObjects } from "../call/issued-objects.js";
import { containerKeyOf, Listener } from "../call/listener.js";
import { NotificationCursor } from "../call/notification-cursor.js";
import { PidfdCache } from "../call/pidfd-cache.js";
import { Retries } from "../call/retries.js";
import type { FilterKind } from "../filter.js";
import { Gate } from "../gate.js";
import { GateDecisions } from "../gate-decisions.js";
import { Facts } from "../load/facts.js";
import { settingsOf } from "../settings.js";
import { Impersonator } from "../sys/credentials.js";
import { EPOLLHUP, Poll, quieten } from "../sys/poll.js";
import { blockSignals } from "../sys/process.js";
import { wakeOnSameCpu } from "../sys/seccomp.js";
import { Tally } from "../tally.js";
import { type CallRecording, recordingKey } from "./call-recording.js";
import type { FromThread, IssuedTo, ThreadData, ToldDenial, ToThread } from "./messages.js";
import { abandon, WorkerReplaced } from "./op-executor.js";
import { kernelBtf, preopenedFolders } from "./preopened-files.js";
import { trimMemory } from "./trim-memory.js";
import { warmUp } from "./warm-up.js";
import { Watch } from "./watch.js";

/**
 * The loop of the decision thread; this file is the thread's entry point. The loop waits for all listeners and for one
 * eventfd that signals messages of the main thread. While an operation may block, {@link Watch} shows this to the
 * watcher.
 */
class DecisionLoop {
  readonly #listeners = new Map<number, Listener>();
  readonly #poll = new Poll(READY_AT_ONCE);
  readonly #impersonator = new Impersonator();
  readonly #pidfdCache = new PidfdCache();
  readonly #watch: Watch;
  readonly #tally: Tally;
  readonly #told = new Set<string>();
  #slowContainers: readonly (readonly [string, BackoffEntry])[] = [];
  #suspended = new SuspensionList();
  #alone = true;
  /** By container key: see {@link containerKeyOf}. */
  readonly #objects = new Map<string, IssuedObjects>();
  /**
   * Issued objects that were not reported to the main thread yet. A message takes longer than the rest of a call, so
   * they are reported together when no call is pending.
   */
  #issued: IssuedTo[] = [];
  #gate: Gate;
  #running = true;
  /** Work that is done in steps while there is no call and no message; null for none. */
  #idle: AsyncGenerator<void, void, void> | null = null;

  constructor(
    private engine: Engine,
    private readonly data: ThreadData,
  ) {
    this.#watch = new Watch(data.watch);
    this.#tally = new Tally(data.tally);
    this.#gate = this.#gateOf(data.config);
    this.#poll.add(data.bell);
  }

  async run(): Promise<void> {
    blockSignals();
    // later threads can read only the files that the first thread of an image reads: prepare everything here
    const whole = !this.data.awaited || this.data.image?.installed === null;
    if (whole) {
      this.engine.prepare();
      for await (const _ of warmUp(this.#impersonator)); // no call waits: run all steps at once
    }
    this.#say({ is: "opened", fds: [this.#poll.fd, this.#pidfdCache.pidfd, ...this.#impersonator.fds] });
    if (this.data.image?.installed === null) this.#say({ is: "installed", files: completeInstalled() });
    this.#say({ is: "ready" });
    if (!whole) this.#idle = this.#warmUp();
    while (this.#running) {
      let rung = false;
      const ready = this.#poll.wait(this.#idle !== null ? 0 : this.#issued.length > 0 ? A_WHILE : -1, (fd, events) => {
        if (fd === this.data.bell) rung = true;
        else this.#serve(fd, events);
      });
      if (ready === 0 && this.#idle !== null) {
        if ((await this.#idle.next()).done) this.#idle = null;
      } else if (ready === 0 || this.#issued.length >= MOST_UNTOLD) this.#tellIssued();
      if (rung) await this.#listen();
    }
    this.#tellIssued();
    this.engine.close();
  }

  /**
   * Prepares what the first calls would otherwise wait for, in steps between calls and messages. A thread that has no
   * listeners afterwards is on standby, possibly for long, so it trims its memory.
   */
  async *#warmUp(): AsyncGenerator<void, void, void> {
    yield* this.#preparePolicies();
    yield* warmUp(this.#impersonator);
    if (this.#listeners.size === 0) await trimMemory();
  }

  async *#preparePolicies(): AsyncGenerator<void, void, void> {
    while (this.engine.prepareNext(this.#suspended.failing)) yield;
  }

  #serve(fd: number, events: number): void {
    const listener = this.#listeners.get(fd);
    if (listener === undefined) return;
    this.#tellIssuedToOthers(listener);
    if (this.#gate.serve(listener) || (events & EPOLLHUP) === 0) return;
    // EPOLLHUP: no task has this filter any more
    this.#poll.remove(fd);
    this.#listeners.delete(fd);
    const left = [...this.#listeners.values()].some(({ containerKey }) => containerKey === listener.containerKey);
    if (!left) this.#objects.delete(listener.containerKey);
    this.#say({ is: "over", fd });
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
        for (const [containerKey, issued] of message.issued) this.#objectsOf(containerKey).remember(issued);
        return;
      case "remember":
        for (const [containerKey, issued] of message.issued) this.#objectsOf(containerKey).remember(issued);
        return;
      case "listen":
        return this.#listenTo(message);
      case "reload":
        return this.#reload(message);
      case "suspect":
        this.#slowContainers = message.slowContainers;
        for (const listener of this.#listeners.values()) this.#markSlow(listener);
        return;
      case "serve":
        return this.#resume(message.recording, message.reason);
      case "settle":
        return trimMemory().catch(() => undefined); // after a failure more memory stays in use, which is harmless
      case "stop":
        this.#running = false;
    }
  }

  #listenTo({ requestId, fd, container, cursor, filter }: ToThread & { do: "listen" }): void {
    try {
      requireNotified(fastestFilter(this.engine), [{ filter, container }]);
      this.#hear(fd, frozen(container), cursor, filter);
      this.#say({ is: "done", requestId });
    } catch (error) {
      this.#say({ is: "failed", id: requestId, error: failureOf(error) });
    }
  }

  /** Adds a listener. If it is served already, only replaces its container's facts, because labels can change. */
  #hear(fd: number, container: Container | null, cursor: number, filter: FilterKind): void {
    const known = this.#listeners.get(fd);
    if (known !== undefined) {
      known.container = container;
      return;
    }
    wakeOnSameCpu(fd);
    const objects = this.#objectsOf(containerKeyOf(container));
    const listener = new Listener(fd, container, objects, new NotificationCursor(cursor), filter);
    this.#markSlow(listener);
    for (const other of this.#listeners.values()) this.#alone &&= other.containerKey === listener.containerKey;
    this.#listeners.set(fd, listener);
    this.#poll.add(fd);
  }

  #markSlow(listener: Listener): void {
    const found = this.#slowContainers.find(([who]) => who === listener.containerKey);
    listener.slowUntil = Math.max(listener.slowUntil, found?.[1].until ?? 0);
  }

  #resume(recording: CallRecording, reason: string | null): void {
    const listener = this.#listeners.get(recording.listener);
    if (listener !== undefined) {
      this.#tellIssuedToOthers(listener);
      this.#gate.resume(listener, recording, reason);
    } else {
      abandon(recording);
      this.#say({ is: "served", recording: recordingKey(recording) });
    }
  }

  /** Replaces the configuration. If the new engine cannot be opened, the current engine stays in use. */
  async #reload({ requestId, config, sealed }: ToThread & { do: "reload" }): Promise<void> {
    try {
      const next = await openEngine(this.#listeners.values(), config, sealed, new DecisionWatch(this.data.decisions));
      const last = this.engine;
      this.engine = next;
      this.#suspended = new SuspensionList();
      this.#gate = this.#gateOf(config);
      last.close();
      this.#say({ is: "read", texts: next.texts, warnings: next.warnings });
      this.#say({ is: "filter", fastest: fastestFilter(next) });
      this.#say({ is: "done", requestId });
      // prepare only after `done`: from then on the supervisor uses the attachment numbers of the new configuration
      this.#idle ??= this.#preparePolicies();
    } catch (error) {
      this.#say({ is: "failed", id: requestId, error: failureOf(error) });
    }
  }

  /** The issued objects of a container, shared by all its listeners; created at the first use. */
  #objectsOf(containerKey: string): IssuedObjects {
    let objects = this.#objects.get(containerKey);
    if (objects === undefined) {
      objects = new IssuedObjects((issued) => {
        this.#issued.push([containerKey, issued]);
        // report a private copy at once: a thread that takes over must know it
        if ("entry" in issued && issued.entry.withheld) this.#tellIssued();
      });
      this.#objects.set(containerKey, objects);
    }
    return objects;
  }

  /**
   * Reports objects that were issued to other containers before this container is served: its call may get this thread
   * terminated, and objects of another container must not be lost with it.
   */
  #tellIssuedToOthers({ containerKey }: Listener): void {
    const first = this.#issued[0];
    if (first !== undefined && first[0] !== containerKey) this.#tellIssued();
  }

  #tellIssued(): void {
    if (this.#issued.length === 0) return;
    this.#say({ is: "handed", issued: this.#issued });
    this.#issued = [];
  }

  #gateOf(config: Config): Gate {
    const tally = this.#tally;
    const { engine } = this;
    let failures = 0;
    let unlogged = 0;
    let torn = 0;
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
            is: "wrote",
            answers: wrote.map(({ attachment, mode, writes }) => ({ attachment, mode, writes })),
          });
        this.#tellHarm(engine.takeHarmful());
        this.#tellDenials(decision);
      },
      (overdue) => this.#suspended.skipped(overdue),
    );
    const settings = settingsOf(config);
    const facts = new Facts(this.engine.signatures, settings.keyrings, () => kernelBtf(this.data.preopened));
    const alone = () => this.#alone;
    const services = {
      decisions,
      facts,
      settings,
      impersonator: this.#impersonator,
      watch: this.#watch,
      tally,
      retries: new Retries(),
      alone,
    };
    return new Gate(services, this.#pidfdCache, (message) => this.#say(message));
  }

  #tellHarm(attachments: readonly number[]): void {
    if (attachments.length === 0) return;
    for (const attachment of attachments) this.#suspended.recordFailure(attachment);
    this.#say({ is: "harm", attachments });
  }

  /** Reports each distinct denial once, for the summary of a run. */
  #tellDenials({ hook, subject, verdict, denied_by, audit_denials }: Decision): void {
    if (denied_by !== null) this.#tellDenial(hook, subject.name, denied_by.reason, verdict < 0 ? "denied" : "dry run");
    for (const { reason } of audit_denials) this.#tellDenial(hook, subject.name, reason, "audit");
  }

  #tellDenial(hook: HookName, subject: string, reason: string, outcome: ToldDenial["outcome"]): void {
    const key = `${hook} ${subject} ${reason}`;
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(key);
    this.#say({ is: "denial", hook, subject, reason, outcome });
  }

  #say(message: FromThread): void {
    this.data.port.postMessage(message);
  }
}

/** The error that is printed once: why the first decision could not be logged, and the consequence. */
function unloggedError(cause: CountersignError | null): CountersignError {
  const message = `decisions cannot be logged; their operations are let through, because audit denies nothing: ${cause?.message ?? "unknown"}`;
  return new CountersignError("FILE_UNREADABLE", message, { place: cause?.place, remedy: cause?.remedy });
}

/** Issued objects are reported after this many milliseconds without a call, or when there are this many objects. */
const A_WHILE = 5;
const MOST_UNTOLD = 64;
/** Maximum number of listeners that are served before messages are read. */
const READY_AT_ONCE = 64;
/** Maximum number of distinct denials that are reported. The decision log has all. */
const MAX_TOLD = 100;

/** Freezes the container's facts, so that the engine can cache the attachments that apply to it (AttachmentIndex). */
function frozen(container: Container | null): Container | null {
  if (container === null) return null;
  if (container.labels !== null) Object.freeze(container.labels);
  return Object.freeze(container);
}

/**
 * Opens an engine. Throws HOOK_NOT_ENFORCED if an attachment has a hook that the gate does not enforce, or if the
 * filter of a listener does not notify the gate of all calls that the configuration decides on; and the errors of
 * {@link Engine.open}.
 */
async function openEngine(listeners: Iterable<Listener>, ...what: Parameters<typeof Engine.open>): Promise<Engine> {
  const engine = await Engine.open(...what);
  try {
    requireEnforced(what[0], engine.attached());
    requireNotified(fastestFilter(engine), listeners);
    return engine;
  } catch (error) {
    engine.close();
    throw error;
  }
}

/** Starts the decision thread. It does not run in the build, which imports this file for its exports. */
async function begin(data: ThreadData): Promise<void> {
  try {
    if (data.image !== null) {
      if (data.image.installed === null) keepInstalled();
      else giveInstalled(data.image.installed);
    }
    const watch = new DecisionWatch(data.decisions);
    const folders = data.preopened === null ? null : preopenedFolders(data.preopened);
    const engine = await openEngine([], data.config, data.sealed, watch, data.texts, null, folders);
    if (data.texts === null) {
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

if (!isMainThread) void begin(workerData as ThreadData);

export { precompile } from "./precompile.js";
