import { setTimeout } from "node:timers/promises";

/** Whether Ctrl-C or SIGTERM has come. Until it has, these signals do not end the process. */
export class StopSignal {
  readonly #controller = new AbortController();
  /** Resolves when the signal comes. */
  readonly came: Promise<void>;

  constructor() {
    this.came = new Promise((resolve) => this.#controller.signal.addEventListener("abort", () => resolve()));
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => this.#controller.abort());
  }

  /** Waits for so many milliseconds, or until the signal. Returns whether it has come. */
  async wait(milliseconds: number): Promise<boolean> {
    const { signal } = this.#controller;
    await setTimeout(milliseconds, undefined, { signal }).catch(() => {});
    return signal.aborted;
  }
}
