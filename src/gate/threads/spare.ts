import type { GateThread } from "./gate-thread.js";

/** Milliseconds for which it is kept when nothing is wanted of it, and after which another one is tried where none could start. */
const KEPT = 10_000;

/**
 * A decision thread in reserve. It takes memory and time to start: there is one only where it may be of use, which is always where
 * others wait for the thread at work.
 */
export class Spare {
  /** Why none can start; null where one can, for all that is known. */
  failure: string | null = null;
  #thread: GateThread | null = null;
  /** Milliseconds since the epoch. */
  #wanted = 0;
  #failed = 0;

  constructor(private readonly start: () => GateThread) {}

  /** It may soon be of use. */
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

  /** It is of no use at the moment. */
  rest(): void {
    if (this.#thread !== null && Date.now() - this.#wanted > KEPT) this.dismiss();
  }

  /** Whether there is one that can decide. */
  get isReady(): boolean {
    return this.#thread?.isReady === true;
  }

  /** Gives it away, where {@link isReady}; or what is started at once. */
  take(): GateThread {
    const thread = this.#thread ?? this.start();
    this.#thread = null;
    return thread;
  }

  /** Has none: the next one starts with what holds then. */
  dismiss(): void {
    const thread = this.#thread;
    this.#thread = null;
    this.failure = null;
    thread?.tell({ do: "stop" });
  }
}
