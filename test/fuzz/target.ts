/** Something that takes bytes of strangers. `test/fuzz.mjs` has the table of them. */
export interface FuzzTarget {
  /** How many rounds: continuous integration runs a quarter of them, and the long form ten times as many. */
  readonly rounds: number;
  /** Milliseconds that a round may take: a second, unless it tries several inputs and counts their work. */
  readonly milliseconds?: number;
  /**
   * Makes an input from a source of numbers below a bound, and gives it to what is tried. The answer is only counted.
   */
  readonly round: (next: (below: number) => number) => string;
}

/** The name of what went wrong, where it has one; anything else is thrown on, and is a finding. */
export function outcome(run: () => unknown): string {
  try {
    run();
    return "taken";
  } catch (error) {
    if (error instanceof Error && error.name === "CountersignError" && "code" in error) return String(error.code);
    throw error;
  }
}
