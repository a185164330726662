import { CountersignError } from "../../error.js";
import { withTimeLimit } from "../../time-limit.js";

/** Maximum time for linking one policy in milliseconds: a fixed part, and a part for each KiB of its files. */
export interface LinkLimits {
  readonly least: number;
  readonly perKiB: number;
}

/**
 * About 90 times the time of the slowest known benign policies, which take 200 ms for 256 KiB. It is time on the clock:
 * the smallest policy must be linked on a busy machine, too, where the thread gets a small part of a processor.
 */
const LIMITS: LinkLimits = { least: 10_000, perKiB: 32 };
/** Measuring costs 0.1 ms, so linear work on less text than this is not limited. */
const SMALL = 16 * 1024;

/** The time limit for linking one policy with all its files. Below the limit it has no influence on the result. */
export class LinkTime {
  #spent = 0;
  #characters = 0;

  constructor(
    private readonly file: string,
    private readonly limits: LinkLimits = LIMITS,
  ) {}

  /** Adds the time for one more file. */
  grant(characters: number): void {
    this.#characters += characters;
  }

  /** Does work that takes time linear in the size of the files. Throws POLICY_TOO_LARGE if it takes too long. */
  linear<T>(work: () => T): T {
    return this.#characters < SMALL ? work() : this.any(work);
  }

  /**
   * Does work without a known bound. Throws POLICY_TOO_LARGE if it takes too long; `work` is then interrupted anywhere.
   */
  any<T>(work: () => T): T {
    const limit = this.limits.least + (this.#characters / 1024) * this.limits.perKiB;
    const start = performance.now();
    const left = limit - this.#spent;
    const result = left <= 0 ? null : withTimeLimit(left, () => ({ value: work() }));
    this.#spent += performance.now() - start;
    if (result !== null) return result.value;
    throw new CountersignError("POLICY_TOO_LARGE", `takes more than ${Math.round(limit)} ms to link`, {
      place: this.file,
      remedy: "nest less deeply, and move tables to a map of the configuration",
    });
  }
}
