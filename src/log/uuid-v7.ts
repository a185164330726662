import { randomUUID } from "node:crypto";

/** The version in the four bits before the counter, and the last value of both. */
const VERSION = 0x7000;
const LAST = 0x7fff;
/** Index of the hyphen before the variant in a UUID's text. What follows it is the same in versions 4 and 7. */
const TAIL = 18;

/**
 * Makes UUIDs of version 7 (RFC 9562 5.7): 48 bits of milliseconds since the epoch, a counter of 12 bits, and 62 random
 * bits. The ids of one instance increase, also as text and when the clock is set back. The random bits tell apart the
 * ids of different processes and threads; those of one instance and millisecond share them, since a decision can take
 * less than a microsecond, and new ones would add half to it.
 */
export class UuidV7 {
  #milliseconds = 0;
  /** The version with the counter. */
  #counter = 0;
  /** The parts of the id before and after them: the milliseconds, and the variant with the random bits. */
  #head = "";
  #tail = "";

  /** `now` is in milliseconds since the epoch. */
  next(now: number): string {
    if (now > this.#milliseconds) this.#startAt(now);
    else if (this.#counter < LAST) this.#counter += 1;
    else this.#startAt(this.#milliseconds + 1);
    return this.#head + this.#counter.toString(16) + this.#tail;
  }

  /** The counter starts at random, in the lower half of its range (RFC 9562 6.2, method 1). */
  #startAt(milliseconds: number): void {
    const digits = milliseconds.toString(16).padStart(12, "0");
    const random = randomUUID();
    this.#milliseconds = milliseconds;
    this.#counter = VERSION | (Number.parseInt(random.slice(0, 3), 16) >> 1);
    this.#head = `${digits.slice(0, 8)}-${digits.slice(8)}-`;
    this.#tail = random.slice(TAIL);
  }
}
