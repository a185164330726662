/**
 * Work limit: units for any program, and units for each of its instructions. Real programs need at most a tenth of the
 * first.
 */
const FOR_ANY = 2_000_000;
const FOR_EACH = 24;

/**
 * The work of the analysis of one program, in units: one for each followed instruction, for each marked leader, for
 * each eight words of a state that are loaded, compared or written, and for each word that differs when two states are
 * joined. Work is counted rather than timed, so that a program has the same effects on every machine.
 */
export class Work {
  /** Units so far. The parts of the analysis add to it. */
  done = 0;
  readonly most: number;

  constructor(instructions: number) {
    this.most = FOR_ANY + FOR_EACH * instructions;
  }

  /** Whether the analysis must stop. Then every effect is true, since the rest of the program is unknown. */
  get exhausted(): boolean {
    return this.done > this.most;
  }
}
