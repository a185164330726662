import { type Visit, visitName } from "./visit.js";

/** Calls that are admitted at once: one thread less than there are, so that one is left for other errands. */
const MOST = 3;

/**
 * Admits calls that take the kernel or the analysis long: of each suspect one at a time, and of all of them {@link
 * MOST}. What a call copies is kept until it is answered, so that this bounds the memory that such calls take; one that
 * waits takes next to none. The suspect that has waited longest is next.
 */
export class Admissions {
  /** Suspects of calls that are admitted, by the visit's name. */
  readonly #admitted = new Map<string, string>();
  /** Calls that wait, by suspect; the one that has waited longest first. */
  readonly #waiting = new Map<string, Visit[]>();

  /** `admit` is told of each call whose turn it is. */
  constructor(private readonly admit: (visit: Visit) => void) {}

  wait(visit: Visit, suspect: string): void {
    const visits = this.#waiting.get(suspect) ?? [];
    visits.push(visit);
    this.#waiting.set(suspect, visits);
    this.#next();
  }

  /** A call is over, admitted or not. */
  leave(name: string): void {
    if (this.#admitted.delete(name)) this.#next();
  }

  #next(): void {
    const busy = new Set(this.#admitted.values());
    for (const [suspect, [visit, ...later]] of this.#waiting) {
      if (this.#admitted.size >= MOST) return;
      if (visit === undefined || busy.has(suspect)) continue;
      // and behind the others
      this.#waiting.delete(suspect);
      if (later.length > 0) this.#waiting.set(suspect, later);
      busy.add(suspect);
      this.#admitted.set(visitName(visit), suspect);
      this.admit({ ...visit, admitted: true });
    }
  }
}
