import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Fault } from "../policy/outcome.js";
import type { DecisionRequest } from "./engine.js";
import { entryFile } from "./entries.js";
import type { Commit } from "./ledger.js";
import { type Failure, type FromThread, SUBJECTS_KNOWN, type ThreadData, type ToThread } from "./messages.js";
import { DecisionWatch } from "./watch.js";

/** One decision thread, from outside. */
export class WatchedThread {
  readonly watch = new DecisionWatch();
  /** False once the thread has ended, by itself or not. */
  alive = true;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #known = new WeakMap<object, number>();
  readonly #ready: Promise<Failure | null>;
  #lastKnown = 0;

  /** `hear` is told of messages that come while nobody waits blocked. */
  constructor(data: Omit<ThreadData, "memory" | "port">, hear: (thread: WatchedThread, message: FromThread) => void) {
    // a channel of our own: messages of a worker's cannot be taken by a caller that waits blocked
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#worker = new Worker(entryFile("engine-thread"), {
      workerData: { ...data, memory: this.watch.memory, port: port2 } satisfies ThreadData,
      transferList: [port2],
      // deep recursion in a policy must meet the guest's bound before the host's
      resourceLimits: { stackSizeMb: 16 },
    });
    this.#worker.unref();
    this.#ready = new Promise((resolve) => {
      this.#port.on("message", (message: FromThread) => {
        if (message.is === "ready") resolve(null);
        else if (message.is === "failed" && message.id === null) resolve(message.error);
        hear(this, message);
      });
      this.#worker.on("error", ({ name, message }) => {
        this.alive = false;
        resolve({ code: "INTERNAL", message: `${name}: ${message}`, place: undefined, remedy: undefined });
      });
      this.#worker.on("exit", () => {
        this.alive = false;
        resolve({ code: "INTERNAL", message: "the decision thread ended", place: undefined, remedy: undefined });
      });
    });
    this.#port.unref();
  }

  /** Resolves when the thread can decide, with null, or cannot, with why. */
  ready(): Promise<Failure | null> {
    this.#worker.ref();
    return this.#ready.finally(() => this.#worker.unref());
  }

  decide(id: number, { subject, ...request }: DecisionRequest, standing: readonly [number, Fault][]): void {
    // only what cannot change may be known again
    const fixed = Object.isFrozen(subject);
    const known = fixed ? this.#known.get(subject) : undefined;
    const there = known !== undefined && known > this.#lastKnown - SUBJECTS_KNOWN;
    if (fixed && !there) this.#known.set(subject, ++this.#lastKnown);
    this.#tell({
      do: "decide",
      id,
      request,
      subject: there ? null : subject,
      known: there ? known : fixed ? this.#lastKnown : null,
      standing,
    });
  }

  restore(commits: readonly Commit[]): void {
    if (commits.length > 0) this.#tell({ do: "restore", commits });
  }

  /** What the thread has said that nobody was told of yet; for a caller that waits blocked. */
  *received(): Generator<FromThread> {
    for (;;) {
      const next = receiveMessageOnPort(this.#port) as { message: FromThread } | undefined;
      if (next === undefined) return;
      yield next.message;
    }
  }

  /** Ends the thread where it stands. */
  async end(): Promise<void> {
    this.alive = false;
    this.#port.close();
    await this.#worker.terminate();
  }

  /** Lets the thread finish what it is doing and close its files; ends it if it does not. */
  async close(): Promise<void> {
    const left = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#tell({ do: "close" });
    const timer = setTimeout(() => void this.end(), 1000);
    await left;
    clearTimeout(timer);
  }

  #tell(message: ToThread): void {
    this.#port.postMessage(message);
    this.watch.requested();
  }
}
