import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { Engine } from "../decision/engine.js";
import type { DecisionRequest } from "../decision/request.js";
import { DecisionWatch } from "../handover/watch.js";
import { failureOf } from "./failure.js";
import { type FromThread, SUBJECTS_KNOWN, type ThreadData, type ThreadRequest, type ToThread } from "./messages.js";

/**
 * The entry of a decision thread, which the watcher (watchdog.ts) can terminate at any time. It blocks until there is a
 * request, handles requests in order, and records its current work in shared memory.
 */
class Thread {
  readonly #subjects = new Map<number, object>();
  #failing: ReadonlySet<number> = new Set();
  #open = true;
  #sealedVersion = 0;

  constructor(
    private readonly port: ThreadData["port"],
    private readonly engine: Engine,
    private readonly watch: DecisionWatch,
  ) {}

  run(): void {
    this.#say({ is: "ready" });
    while (this.#open) {
      const seen = this.watch.requests;
      for (let next = this.#next(); next !== undefined; next = this.#next()) this.#obey(next);
      // When there is no request, create one more runtime that will probably be needed, then check again
      if (this.#open && (this.watch.requests !== seen || !this.engine.prepareNext(this.#failing)))
        this.watch.waitForRequest(seen);
    }
  }

  #next(): ToThread | undefined {
    return (receiveMessageOnPort(this.port) as { message: ToThread } | undefined)?.message;
  }

  #obey(message: ToThread): void {
    switch (message.do) {
      case "decide":
        this.#decide(message);
        break;
      case "restore":
        this.engine.restore(message.commits);
        this.engine.adopt(message.sealed);
        this.#sealedVersion = this.engine.sealedVersion;
        this.#failing = new Set(message.failing);
        break;
      case "close":
        this.#open = false;
        this.engine.close();
        this.port.close();
    }
  }

  #decide({ id, request, subject, known, skipped }: ThreadRequest): void {
    this.watch.begin(id);
    try {
      const about = this.#subject(subject, known);
      const decision = this.engine.decide({ ...request, subject: about } as DecisionRequest, skipped);
      if (this.engine.sealedVersion !== this.#sealedVersion) this.#say({ is: "sealed", sealed: this.engine.sealed });
      this.#sealedVersion = this.engine.sealedVersion;
      this.#say({ is: "decided", id, decision, harmful: this.engine.takeHarmful() });
    } catch (error) {
      this.#say({ is: "failed", id, error: failureOf(error) });
    }
  }

  #subject(subject: object | null, known: number | null): object {
    if (known === null) return subject!;
    if (subject === null) return this.#subjects.get(known)!;
    this.#subjects.set(known, subject);
    this.#subjects.delete(known - SUBJECTS_KNOWN);
    return subject;
  }

  #say(message: FromThread): void {
    this.port.postMessage(message);
    this.watch.responded();
  }
}

const { config, sealed, texts, memory, port } = workerData as ThreadData;
const watch = new DecisionWatch(memory);
try {
  const engine = await Engine.open(config, { sealed, watch, texts });
  if (texts === null) {
    const { texts, warnings } = engine;
    port.postMessage({ is: "read", texts, warnings } satisfies FromThread);
  }
  new Thread(port, engine, watch).run();
} catch (error) {
  port.postMessage({ is: "failed", id: null, error: failureOf(error) } satisfies FromThread);
  watch.responded();
}
