/** Units for any program, and for each of its instructions: what real programs take is at most a tenth of the first. */
const FOR_ANY = 2_000_000;
const FOR_EACH = 24;

/**
 * What the analysis of one program has done, in units: one for an instruction followed, for a leader marked, for eight
 * words of a state loaded, compared or written, and for a word of two states that differs where they are joined. It is
 * counted instead of timed, so that a program has the same effects on every machine.
 */
export class Work {
  /** Units done. The parts of the analysis add to it. */
  done = 0;
  readonly most: number;

  constructor(instructions: number) {
    this.most = FOR_ANY + FOR_EACH * instructions;
  }

  /** Whether the analysis must end: nothing more is found out, so every effect is true. */
  get exhausted(): boolean {
    return this.done > this.most;
  }
}
