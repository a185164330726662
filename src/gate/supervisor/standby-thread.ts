import { monotonic } from "../../monotonic.js";
import type { SupervisedThread } from "./decision-thread-handle.js";
import type { Standby } from "./next-action.js";

/** Milliseconds after which a failed start may be repeated. */
const RETRY_AFTER = 10_000;

/**
 * A decision thread on standby. A thread takes memory, and time to start. So it exists only while it may be needed: if
 * the gate serves containers, always.
 */
export class StandbyThread {
  /** Why the last start failed; null if it succeeded or may be repeated. */
  failure: string | null = null;
  #thread: SupervisedThread | null = null;
  /** When the thread was last needed, and when a start last failed, in milliseconds of monotonic(). */
  #neededAt = 0;
  #failedAt = 0;

  constructor(private readonly start: () => SupervisedThread) {}

  /** Starts the thread if there is none, because it may be needed soon. */
  ensureStarted(): void {
    this.#neededAt = monotonic();
    if (this.#neededAt - this.#failedAt > RETRY_AFTER) this.failure = null;
    if (this.#thread !== null || this.failure !== null) return;
    const thread = this.start();
    this.#thread = thread;
    void thread.ended.then(({ message }) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      if (thread.isReady) return;
      this.failure = message;
      this.#failedAt = monotonic();
    });
  }

  /** What the watcher sees of the thread. */
  get snapshot(): Standby {
    return { state: this.#state, neededAt: this.#neededAt };
  }

  get #state(): Standby["state"] {
    if (this.#thread !== null) return this.#thread.isReady ? "ready" : "starting";
    return this.failure !== null && monotonic() - this.#failedAt <= RETRY_AFTER ? "failed" : "none";
  }

  /** Returns the thread and removes it from standby. Starts one if there is none. */
  take(): SupervisedThread {
    const thread = this.#thread ?? this.start();
    this.#thread = null;
    return thread;
  }

  /** Stops the thread, so that the next one starts with the current configuration. */
  dismiss(): void {
    const thread = this.#thread;
    this.#thread = null;
    this.failure = null;
    thread?.post({ do: "stop" });
  }
}
