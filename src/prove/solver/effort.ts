const MOST_TRIES = 60_000;

/** How many values are tried for one question, so that none takes long; see {@link Effort.spend}. */
export class Effort {
  #left = MOST_TRIES;

  /** Counts a try. False if there were too many, after which the question is not decided. */
  spend(): boolean {
    this.#left -= 1;
    return this.#left >= 0;
  }
}
