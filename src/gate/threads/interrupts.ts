import { INTERRUPT, signalThread } from "../sys/process.js";

/**
 * Interrupts system calls of threads: the verifier and test runs give up where a signal is pending, as they do where
 * their own task is killed. The handler does nothing; without one the kernel would drop the signal.
 */
export class Interrupts {
  readonly #tids = new Map<object, number>();

  /** By the thread that is to be interrupted. */
  add(thread: object, tid: number): void {
    if (this.#tids.size === 0) process.on("SIGURG", nothing);
    this.#tids.set(thread, tid);
  }

  forget(thread: object): void {
    if (this.#tids.delete(thread) && this.#tids.size === 0) process.off("SIGURG", nothing);
  }

  send(thread: object): void {
    const tid = this.#tids.get(thread);
    if (tid !== undefined) signalThread(tid, INTERRUPT);
  }
}

function nothing(): void {}
