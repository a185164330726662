import { INTERRUPT, signalThread } from "../../sys/process.js";

/**
 * Interrupts system calls of threads by a signal: the verifier (do_check in kernel/bpf/verifier.c) and test runs give
 * up if a signal is pending. The handler does nothing; without a handler the kernel would discard SIGURG.
 */
export class Interrupts {
  readonly #tids = new Map<object, number>();

  /** `thread`: the object that represents the thread. `tid`: its thread id (gettid(2)). */
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
