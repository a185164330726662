import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { Config } from "../config/config.js";
import { Engine } from "../engine/engine.js";
import type { SealedRules } from "../engine/keyrings.js";
import { ERRNO } from "../errno.js";
import { CountersignError } from "../error.js";
import type { Decision } from "../hooks/decision.js";
import type { Container, Current } from "../policy/current.js";
import { readAsker } from "./current.js";
import { Facts } from "./facts.js";
import { Gate } from "./gate.js";
import { Judge } from "./judge.js";
import { Listener } from "./listener.js";
import type { Ended, FromThread, ThreadData, ToThread } from "./messages.js";
import { Objects } from "./objects.js";
import { rehearse } from "./rehearsal.js";
import { settingsOf } from "./settings.js";
import { settle } from "./settle.js";
import { Wardrobe } from "./sys/credentials.js";
import { close, openThread } from "./sys/pidfd.js";
import { EPOLLHUP, Poll, quieten } from "./sys/poll.js";
import { blockSignals } from "./sys/process.js";
import { wakeOnSameCpu } from "./sys/seccomp.js";
import { Tally } from "./tally.js";
import { Watch } from "./watch.js";

/**
 * An entry of its own: the gate's decision thread. It waits for all listeners at once and for one eventfd, which says that
 * there is a message; everything that can block stands in shared memory for the thread that watches it.
 */
class DecisionThread {
  readonly #listeners = new Map<number, Listener>();
  readonly #poll = new Poll(READY_AT_ONCE);
  readonly #wardrobe = new Wardrobe();
  readonly #watch: Watch;
  readonly #tally: Tally;
  readonly #bell: number;
  readonly #told = new Set<string>();
  #gate: Gate;
  #running = true;

  constructor(
    private readonly port: MessagePort,
    private engine: Engine,
    { config, watch, tally, bell, writes, ended }: ThreadData,
  ) {
    this.#watch = new Watch(watch);
    this.#tally = new Tally(tally);
    this.#bell = bell;
    this.#gate = this.#gateOf(config);
    this.#poll.add(bell);
    for (const { attachment, write } of writes) engine.restore(attachment, [write]);
    if (ended !== null) this.#recordEnd(ended);
  }

  async run(): Promise<void> {
    blockSignals();
    this.engine.prepare();
    rehearse(this.#wardrobe);
    this.#say({ is: "ready" });
    while (this.#running) {
      let rung = false;
      this.#poll.wait(-1, (fd, events) => {
        if (fd === this.#bell) rung = true;
        else this.#serve(fd, events);
      });
      if (rung) await this.#listen();
    }
    this.engine.close();
  }

  #serve(fd: number, events: number): void {
    const listener = this.#listeners.get(fd);
    if (listener === undefined) return;
    if (this.#gate.serve(listener) || (events & EPOLLHUP) === 0) return;
    // nobody is left under this filter
    this.#poll.remove(fd);
    this.#listeners.delete(fd);
    this.#say({ is: "done", fd });
  }

  async #listen(): Promise<void> {
    quieten(this.#bell);
    for (;;) {
      const received = receiveMessageOnPort(this.port) as { message: ToThread } | undefined;
      if (received === undefined) return;
      await this.#obey(received.message);
    }
  }

  async #obey(message: ToThread): Promise<void> {
    switch (message.do) {
      case "listen":
        this.#listenTo(message.fd, frozen(message.container));
        return this.#say({ is: "listening", fd: message.fd });
      case "reload":
        return this.#reload(message.config, message.sealed);
      case "settle":
        return settle();
      case "stop":
        this.#running = false;
    }
  }

  /** A listener that is there already has another container's facts from now on: labels change. */
  #listenTo(fd: number, container: Container | null): void {
    const known = this.#listeners.get(fd);
    if (known !== undefined) {
      known.container = container;
      return;
    }
    wakeOnSameCpu(fd);
    this.#listeners.set(fd, new Listener(fd, container, this.#objectsOf(container)));
    this.#poll.add(fd);
  }

  /** All or nothing: the engine in use goes on until the new one is whole. */
  async #reload(config: Config, sealed: SealedRules): Promise<void> {
    try {
      const next = await Engine.open(config, sealed);
      next.prepare();
      const last = this.engine;
      this.engine = next;
      this.#gate = this.#gateOf(config);
      last.close();
      this.#say({ is: "reloaded" });
    } catch (error) {
      this.#say(failure(error));
    }
  }

  /** Those of the container's other listeners, or new ones. */
  #objectsOf(container: Container | null): Objects {
    for (const listener of this.#listeners.values())
      if (listener.container?.id === container?.id) return listener.objects;
    return new Objects();
  }

  #gateOf(config: Config): Gate {
    const tally = this.#tally;
    const judge = new Judge(this.engine, (decision) => {
      tally.decision(decision);
      for (const { attachment, writes } of decision.answers)
        if (writes.length > 0) this.#say({ is: "wrote", attachment, writes });
      const refusal = decision.refusal ?? decision.would;
      if (refusal !== null) this.#tellRefusal(decision, refusal.reason);
    });
    const settings = settingsOf(config);
    const facts = new Facts(this.engine.signatures, settings.keyrings);
    return new Gate({
      judge,
      facts,
      settings,
      wardrobe: this.#wardrobe,
      watch: this.#watch,
      tally,
    });
  }

  /** For the summary of a run: each reason once. */
  #tellRefusal({ hook, subject, refusal }: Decision, reason: string): void {
    const key = `${hook} ${subject.name} ${reason}`;
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return;
    this.#told.add(key);
    this.#say({ is: "refusal", hook, subject: subject.name, reason, enforced: refusal !== null });
  }

  /** The decision that the thread before this one could not make. */
  #recordEnd({ tid, reason }: Ended): void {
    const refusal = { verdict: -ERRNO.EPERM, by: null, code: "OUT_OF_TIME" as const, reason: `gate: ${reason}` };
    const pidfd = openThread(tid, tid);
    const current = readAsker(tid, pidfd, null)?.current ?? NOBODY;
    const name = current.comm;
    this.engine.record({ hook: "bpf", name, current, verdict: refusal.verdict, refusal, would: null });
    this.#tally.add("refused");
    close(pidfd);
  }

  #say(message: FromThread): void {
    this.port.postMessage(message);
  }
}

/** A task that is gone. */
const NOBODY: Current = {
  ...{ pid: 0, tid: 0, uid: 0, euid: 0, gid: 0, comm: "", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};

/** Listeners that are served in one turn before messages are looked at. */
const READY_AT_ONCE = 64;
/** Distinct refusals that are told of; all are in the decision log. */
const MAX_TOLD = 100;

/** Frozen, so that what is in scope for it can be remembered. */
function frozen(container: Container | null): Container | null {
  if (container === null) return null;
  if (container.labels !== null) Object.freeze(container.labels);
  return Object.freeze(container);
}

function failure(error: unknown): FromThread {
  if (!(error instanceof CountersignError))
    return { is: "failed", code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
  const { code, message, place, remedy } = error;
  return { is: "failed", code, message, ...(place && { place }), ...(remedy && { remedy }) };
}

const port = parentPort as MessagePort;
const data = workerData as ThreadData;
try {
  await new DecisionThread(port, await Engine.open(data.config, data.sealed), data).run();
} catch (error) {
  port.postMessage(failure(error));
}
