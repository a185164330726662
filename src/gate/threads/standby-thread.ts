import type { DecisionThreadHandle } from "./decision-thread-handle.js";

/** Milliseconds after which an unneeded thread is stopped, and after which a failed start may be repeated. */
const KEPT = 10_000;

/**
 * A decision thread on standby. A thread takes memory, and time to start. So it exists only while it may be needed: if
 * the gate serves containers, always.
 */
export class StandbyThread {
  /** Why the last start failed; null if it succeeded or may be repeated. */
  failure: string | null = null;
  #thread: DecisionThreadHandle | null = null;
  /** When the thread was last wanted, and when a start last failed, in milliseconds since the epoch. */
  #wanted = 0;
  #failed = 0;

  constructor(private readonly start: () => DecisionThreadHandle) {}

  /** Starts the thread if there is none, because it may be needed soon. */
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

  /** Stops the thread if it has not been wanted for {@link KEPT} ms. */
  rest(): void {
    if (this.#thread !== null && Date.now() - this.#wanted > KEPT) this.dismiss();
  }

  /** Whether the thread is ready to make decisions. */
  get isReady(): boolean {
    return this.#thread?.isReady === true;
  }

  /** Returns the thread and removes it from standby. Starts one if there is none. */
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
