import { Worker } from "node:worker_threads";
import type { Config } from "../config/config.js";
import { entryFile } from "../engine/entries.js";
import { type SealedRules, sealedRules } from "../engine/keyrings.js";
import { ERRNO } from "../errno.js";
import { CountersignError, type ErrorCode } from "../error.js";
import type { Container } from "../policy/current.js";
import type { CommittedWrite, Ended, FromThread, ThreadData, ToldRefusal, ToThread } from "./messages.js";
import { writeResponse } from "./notification.js";
import { settingsOf } from "./settings.js";
import { settle } from "./settle.js";
import { close, openThread, signalProcess } from "./sys/pidfd.js";
import { eventFd, ring } from "./sys/poll.js";
import { send, stillWaits } from "./sys/seccomp.js";
import { Tally } from "./tally.js";
import { STEP, Watch, type Watched } from "./watch.js";

/** What becomes known outside of the decision thread. */
export interface ThreadEvents {
  /** Nobody is left under a listener's filter. */
  done(fd: number): void;
  /** Something was, or would have been, refused: each reason once. */
  refusal(refusal: ToldRefusal): void;
  /** The thread was ended because of what it was doing, and another one is there. */
  replaced(reason: string): void;
  /** A task made the gate wait and was killed. */
  killed(tid: number): void;
  /** The thread ended and no other one could be started: nothing is judged any more. */
  lost(error: CountersignError): void;
}

/**
 * The decision thread, from outside: starts it, hands it listeners, and watches it. A task that keeps it waiting in a copy
 * is killed; a policy that keeps it longer than any limit allows costs the thread its life, the call that was being decided
 * is refused, and a new thread takes the listeners over, which belong to the process and stay open throughout.
 */
export class DecisionThread {
  readonly tally = new Tally();
  readonly #watch = new Watch();
  readonly #bell = eventFd();
  readonly #listeners = new Map<number, Container | null>();
  readonly #timer: NodeJS.Timeout;
  readonly #answers: { want: FromThread["is"]; resolve(): void; reject(error: Error): void }[] = [];
  #sealed: SealedRules;
  #worker: Worker;
  #stopped = false;
  #killed = -1;
  #replacing = false;
  /** What attachments wrote to maps, by attachment, map and key: the last value of each. */
  readonly #writes = new Map<string, CommittedWrite>();

  private constructor(
    private config: Config,
    private readonly events: ThreadEvents,
  ) {
    this.#sealed = sealedRules(config.keyrings);
    this.#worker = this.#start();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY);
    this.#timer.unref();
  }

  /** Throws what the configuration throws when it is put together. */
  static async start(config: Config, events: ThreadEvents): Promise<DecisionThread> {
    const thread = new DecisionThread(config, events);
    await thread.#hear("ready");
    return thread;
  }

  /** Serves a listener from now on, or has it be another container's facts; resolves when that holds. */
  async listen(fd: number, container: Container | null): Promise<void> {
    this.#listeners.set(fd, container);
    const heard = this.#hear("listening");
    this.#tell({ do: "listen", fd, container });
    await heard;
  }

  /** Takes another configuration, or throws and keeps the one that it has. */
  async reload(config: Config): Promise<void> {
    const sealed = sealedRules(config.keyrings, this.#sealed);
    const heard = this.#hear("reloaded");
    this.#tell({ do: "reload", config, sealed });
    await heard;
    this.config = config;
    this.#writes.clear(); // a configuration that is read again begins with its maps as their files have them
    this.#sealed = sealed;
  }

  /** Has both threads keep no more memory than they need: see {@link settle}. No call is answered meanwhile. */
  settle(): Promise<void> {
    this.#tell({ do: "settle" });
    return settle();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const ended = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    this.#tell({ do: "stop" });
    await ended;
    close(this.#bell);
  }

  #start(ended: Ended | null = null): Worker {
    const { config } = this;
    const data: ThreadData = {
      config,
      sealed: this.#sealed,
      watch: this.#watch.memory,
      tally: this.tally.memory,
      bell: this.#bell,
      writes: [...this.#writes.values()],
      ended,
    };
    const worker = new Worker(entryFile("gate-thread"), { workerData: data, resourceLimits: LIMITS });
    worker.on("message", (message: FromThread) => this.#heard(message));
    worker.once("error", (error) => this.#lost(worker, error));
    worker.once("exit", () => this.#lost(worker, new Error("it ended")));
    return worker;
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
    ring(this.#bell);
  }

  #hear(want: FromThread["is"]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answers.push({ want, resolve, reject });
    });
  }

  #heard(message: FromThread): void {
    if (message.is === "done") {
      this.#listeners.delete(message.fd);
      this.events.done(message.fd);
      return;
    }
    if (message.is === "wrote") {
      for (const write of message.writes)
        this.#writes.set(JSON.stringify([message.attachment, write.map, write.key]), {
          attachment: message.attachment,
          write,
        });
      return;
    }
    if (message.is === "refusal") {
      this.events.refusal(message);
      return;
    }
    const waiting = this.#answers.shift();
    if (message.is !== "failed") waiting?.resolve();
    else {
      const { code, message: text, place, remedy } = message;
      waiting?.reject(new CountersignError(code as ErrorCode, text, { place, remedy }));
    }
  }

  #lost(worker: Worker, cause: Error): void {
    if (worker !== this.#worker || this.#stopped || this.#replacing) return;
    const error = new CountersignError("GATE_FAILED", `the decision thread is gone: ${cause.message}`, {
      remedy: "see docs/errors/GATE_FAILED.md",
      cause,
    });
    for (const { reject } of this.#answers.splice(0)) reject(error);
    this.events.lost(error);
  }

  /** Looks at what the thread is doing, and ends what has overstayed. */
  #look(): void {
    const watched = this.#watch.look();
    if (watched === null) return;
    const waited = Date.now() - watched.since;
    if (watched.step === STEP.copying && waited > settingsOf(this.config).stall) this.#kill(watched);
    else if (watched.step === STEP.deciding && waited > this.#longestWall() + GRACE) void this.#replace(watched);
  }

  /** Only the task's own end brings a copy back that waits for its memory. */
  #kill(watched: Watched): void {
    if (this.#killed === watched.count) return;
    const pidfd = openThread(watched.tid, watched.tid);
    if (pidfd >= 0 && stillWaits(watched.listener, idBytes(watched.id))) {
      this.#killed = watched.count;
      this.tally.add("stalls");
      this.#watch.markKilled(watched);
      signalProcess(pidfd, SIGKILL);
      this.events.killed(watched.tid);
    }
    close(pidfd);
  }

  async #replace(stuck: Watched): Promise<void> {
    if (this.#replacing) return;
    this.#replacing = true;
    await this.#worker.terminate();
    // whatever it was at in its last moment has nobody else to be answered by
    const last = this.#watch.look() ?? stuck;
    send(last.listener, writeResponse(last.id, { result: -ERRNO.EPERM }));
    this.#watch.leave();
    const reason = `a policy did not come back within ${this.#longestWall() + GRACE} ms`;
    this.#worker = this.#start({ tid: last.tid, reason });
    try {
      await this.#hear("ready");
      for (const [fd, container] of this.#listeners) await this.listen(fd, container);
      this.events.replaced(reason);
      this.#replacing = false;
    } catch (error) {
      this.#replacing = false;
      this.#lost(this.#worker, error as Error);
    }
  }

  #longestWall(): number {
    return Math.max(0, ...this.config.attachments.map(({ limits }) => limits.wall));
  }
}

/**
 * Deep recursion in a guest must end as an error of the guest, which takes more stack than a worker has by default. What a
 * decision leaves behind is short-lived: two semispaces of 2 MB are enough for it, where V8 would take 16.
 */
const LIMITS = { stackSizeMb: 16, maxYoungGenerationSizeMb: 6 };
const LOOK_EVERY = 20;
/** Milliseconds beyond a policy's own limit of time, which the sandbox enforces itself wherever it is polled. */
const GRACE = 200;
const SIGKILL = 9;

function idBytes(id: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(id).buffer);
}
