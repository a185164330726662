/** Pseudo-random numbers (xorshift32), the same in every run, for choices that must follow no pattern. */
export class RandomNumbers {
  #state: number;

  /** `seed` must not be 0. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer from 0 to `limit` - 1; 0 if `limit` is 0. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return limit === 0 ? 0 : (this.#state >>> 0) % limit;
  }
}
