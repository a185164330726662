import { TimerFd } from "../../sys/timer-fd.js";

/** Milliseconds without a call after which issued objects are reported; up to twice as long if calls came before. */
const A_WHILE = 5;

/**
 * Tells a thread that serves calls when none has come for a while. It is an fd, and not the time-out of its waiting,
 * which a task with CAP_SYS_NICE can make longer: see {@link TimerFd}.
 */
export class QuietTimer {
  readonly #timer = new TimerFd();
  #isSet = false;
  #wasCalled = false;

  get fd(): number {
    return this.#timer.fd;
  }

  /** There is something to do once no call comes. Calls were served just now. */
  served(): void {
    this.#wasCalled = this.#isSet;
    if (!this.#isSet) this.#start();
  }

  /** The fd is readable. Returns true if no call has come for a while; otherwise waits for another one. */
  expired(): boolean {
    this.#timer.quieten();
    this.#isSet = false;
    if (!this.#wasCalled) return true;
    this.#start();
    return false;
  }

  #start(): void {
    this.#timer.set(A_WHILE);
    this.#isSet = true;
    this.#wasCalled = false;
  }
}
