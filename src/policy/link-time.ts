import { CountersignError } from "../error.js";
import { withTimeLimit } from "../sandbox/time-limit.js";

/** Milliseconds that linking one policy may take: at least, and in addition for each KiB of its files. */
export interface LinkLimits {
  readonly least: number;
  readonly perKiB: number;
}

/** About 50 times the time of the slowest known benign policies: 256 KiB take 200 ms. */
const LIMITS: LinkLimits = { least: 2000, perKiB: 32 };
/** A time limit costs 0.1 ms. Files below this size cannot take long in code whose time is linear in their size. */
const SMALL = 16 * 1024;

/**
 * The time that one policy may take to link, all its files together. It never changes the result of a policy within the
 * limit.
 */
export class LinkTime {
  #spent = 0;
  #characters = 0;

  constructor(
    private readonly file: string,
    private readonly limits: LinkLimits = LIMITS,
  ) {}

  /** Adds the time for a file that has been read. */
  grant(characters: number): void {
    this.#characters += characters;
  }

  /** Does work whose time is linear in the size of the files. Throws POLICY_TOO_LARGE if it takes too long. */
  linear<T>(work: () => T): T {
    return this.#characters < SMALL ? work() : this.any(work);
  }

  /**
   * Does work whose time has no known bound. Throws POLICY_TOO_LARGE if it takes too long: `work` is then half done.
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
