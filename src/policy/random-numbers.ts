/** Pseudo-random numbers that are the same in every run (xorshift32): for choices that must follow no pattern. */
export class RandomNumbers {
  #state: number;

  /** `seed` is not 0. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** An integer from 0 to `limit` - 1; 0 where `limit` is 0. */
  below(limit: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return limit === 0 ? 0 : (this.#state >>> 0) % limit;
  }
}
