/** Maximum number of programs that may lose their ids in a second: each makes the kernel wait for all processors. */
const MOST = 50;
const SECOND = 1000;

/** When programs that were loaded again lost their ids. */
export class ReleasePace {
  #released: number[] = [];

  /** `now` is in milliseconds of a clock that is never set, here and in the other functions. */
  add(now: number): void {
    this.#released.push(now);
  }

  /** How many milliseconds to wait before the next load, so that there are never more releases in a second. */
  wait(now: number): number {
    this.#released = this.#released.filter((at) => at > now - SECOND);
    const oldest = this.#released.at(-MOST);
    return oldest === undefined ? 0 : oldest + SECOND - now;
  }
}
