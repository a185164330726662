/**
 * The span of time in which a result stays what it is: every moment at which some rule looked and found itself before or behind
 * narrows it. Milliseconds since the epoch; `from` is inside, `until` is not.
 */
export class Window {
  from = Number.NEGATIVE_INFINITY;
  until = Number.POSITIVE_INFINITY;

  constructor(readonly at: number) {}

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
