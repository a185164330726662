import type { DecisionThreadHandle } from "./decision-thread-handle.js";

/** Milliseconds for which an unneeded thread is kept, and after which a failed start is tried again. */
const KEPT = 10_000;

/**
 * A decision thread on standby. It takes memory and time to start, so it exists only while it may be needed: always, if
 * there are several containers.
 */
export class StandbyThread {
  /** Why the last start failed; null if it did not. */
  failure: string | null = null;
  #thread: DecisionThreadHandle | null = null;
  /** Milliseconds since the epoch. */
  #wanted = 0;
  #failed = 0;

  constructor(private readonly start: () => DecisionThreadHandle) {}

  /** The thread may be needed soon: starts it. */
  want(): void {
    this.#wanted = Date.now();
    if (this.#wanted - this.#failed > KEPT) this.failure = null;
    if (this.#thread !== null || this.failure !== null) return;
    const thread = this.start();
    this.#thread = thread;
    void thread.ended.then(({ message }) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      if (thread.isReady) return;
      this.failure = message;
      this.#failed = Date.now();
    });
  }

  /** The thread is not needed at the moment. */
  rest(): void {
    if (this.#thread !== null && Date.now() - this.#wanted > KEPT) this.dismiss();
  }

  /** Whether the thread can decide by now. */
  get isReady(): boolean {
    return this.#thread?.isReady === true;
  }

  /** Returns the thread, which is no longer on standby then. Starts one if there is none. */
  take(): DecisionThreadHandle {
    const thread = this.#thread ?? this.start();
    this.#thread = null;
    return thread;
  }

  /** Stops the thread, so that the next one starts with the current configuration. */
  dismiss(): void {
    const thread = this.#thread;
    this.#thread = null;
    this.failure = null;
    thread?.tell({ do: "stop" });
  }
}
