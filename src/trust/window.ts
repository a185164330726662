/** A time stamp that counts: the signature was there at that moment (milliseconds since the epoch). */
export interface Stamp {
  readonly at: number;
  /** Whether a certificate that was revoked later stays good for it. */
  readonly outlivesRevocation: boolean;
}

/**
 * The span of time in which a result stays what it is: every moment at which some rule looked and found itself before or behind
 * narrows it. Milliseconds since the epoch; `from` is inside, `until` is not.
 */
export class Window {
  from = Number.NEGATIVE_INFINITY;
  until = Number.POSITIVE_INFINITY;

  /** Certificates of a signature with a `stamp` are judged at its time. */
  constructor(
    readonly at: number,
    readonly stamp: Stamp | null = null,
  ) {}

  /** Whether `moment` had come when the signature was made, as far as that is known. */
  passed(moment: number): boolean {
    return this.stamp === null ? this.reached(moment) : moment <= this.stamp.at;
  }

  /** Whether `moment` has come. The answer, and with it the result, changes there. */
  reached(moment: number): boolean {
    if (moment <= this.at) {
      if (moment > this.from) this.from = moment;
      return true;
    }
    if (moment < this.until) this.until = moment;
    return false;
  }

  /** Narrows this window to one inside of which a result that it depends on holds. */
  narrow(other: { readonly from: number; readonly until: number }): void {
    if (other.from > this.from) this.from = other.from;
    if (other.until < this.until) this.until = other.until;
  }
}
