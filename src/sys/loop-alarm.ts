import { whenReadable } from "./readable.js";
import { TimerFd } from "./timer-fd.js";

/** Milliseconds by which an alarm is later than its timer of node, so that usually only that wakes. */
const LATER = 1;
/**
 * Milliseconds between the wakes that follow. The event loop's clock is a millisecond coarse, or a tick of the kernel:
 * where it says at the first wake that the timer is not due yet, only another wake ends the wait.
 */
const AGAIN = 100;

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

  /**
   * setTimeout() of node, with a wake once its time is over, and then every {@link AGAIN} milliseconds until the next
   * call. What was set before loses its wake, not its timer.
   */
  setTimeout(callback: () => void, milliseconds: number): NodeJS.Timeout {
    // the timer comes first: a thread that is descheduled between the two would be woken before the timer is due
    const timer = setTimeout(callback, milliseconds);
    if (!this.#isClosed) this.#timer.set(milliseconds + LATER, AGAIN);
    return timer;
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
