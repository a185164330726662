/** An accepted time stamp: the signature existed at that time (milliseconds since the epoch). */
export interface Stamp {
  readonly at: number;
  /** Whether a later revocation of the signer's certificate leaves the signature valid. */
  readonly outlivesRevocation: boolean;
}

/**
 * The time span in which a result does not change. Each comparison of a rule with a time narrows it. Milliseconds since
 * the epoch; `from` is inclusive, `until` exclusive.
 */
export class Window {
  from = Number.NEGATIVE_INFINITY;
  until = Number.POSITIVE_INFINITY;

  /** With a `stamp`, certificates are checked at its time. */
  constructor(
    readonly at: number,
    readonly stamp: Stamp | null = null,
  ) {}

  /**
   * Whether `moment` had passed when the signature was made, as far as the stamp proves it; without a stamp, at the
   * time of the hook.
   */
  passed(moment: number): boolean {
    return this.stamp === null ? this.reached(moment) : moment <= this.stamp.at;
  }

  /** Whether `moment` has passed. Narrows the window, since the answer changes at `moment`. */
  reached(moment: number): boolean {
    if (moment <= this.at) {
      if (moment > this.from) this.from = moment;
      return true;
    }
    if (moment < this.until) this.until = moment;
    return false;
  }

  /** Narrows this window to its intersection with that of a result which this one depends on. */
  narrow(other: { readonly from: number; readonly until: number }): void {
    if (other.from > this.from) this.from = other.from;
    if (other.until < this.until) this.until = other.until;
  }
}
