import { whenReadable } from "./readable.js";
import { TimerFd } from "./timer-fd.js";

/** Milliseconds by which an alarm is later than a timer of node with the same time, so that usually only that wakes. */
const LATER = 1;

/**
 * Wakes the event loop of this thread, so that timers of node run in time whatever the thread's timer slack is: see
 * {@link TimerFd}. Does not keep the process alive. Throws GATE_FAILED.
 */
export class LoopAlarm {
  readonly #timer = new TimerFd();
  readonly #readable = whenReadable(this.#timer.fd, () => this.#timer.quieten());
  #isClosed = false;

  constructor() {
    this.#readable.unref();
  }

  /** Wakes the loop once, just after a timer that is set now for so many milliseconds is due. */
  set(milliseconds: number): void {
    if (!this.#isClosed) this.#timer.set(milliseconds + LATER);
  }

  /** Wakes the loop every so many milliseconds. */
  repeat(milliseconds: number): void {
    if (!this.#isClosed) this.#timer.set(milliseconds, milliseconds);
  }

  /** Later calls have no effect. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readable.close();
    this.#timer.close();
  }
}
