import { setTimeout } from "node:timers/promises";

/** Whether Ctrl-C or SIGTERM has come. */
export class StopSignal {
  readonly #controller = new AbortController();

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => this.#controller.abort());
  }

  get isStopped(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Waits for so many milliseconds, or until the signal. Returns whether it has come. */
  async wait(milliseconds: number): Promise<boolean> {
    await setTimeout(milliseconds, undefined, { signal: this.#controller.signal }).catch(() => {});
    return this.isStopped;
  }
}
