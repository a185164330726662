import { coreError } from "./core-error.js";

/**
 * Maximum number of members, enumerators, parameters and types that one relocation may look at: 100 times what matching
 * a whole `struct task_struct` takes. Types that contain each other 32 deep would otherwise take for ever.
 */
const MAX_STEPS = 2_000_000;

/** Maximum for all relocations of an object: 1,000 times what the largest of libbpf-tools takes. */
const MAX_OBJECT_STEPS = 20_000_000;

/** What a relocation takes besides: the search for candidates takes as long as several steps. */
const RELOCATION_STEPS = 5;

/** Counts what the relocations of an object look at. A step takes less than a microsecond. */
export class Steps {
  #left = 0;
  #leftOfAll: number;

  constructor(private readonly most = MAX_OBJECT_STEPS) {
    this.#leftOfAll = most;
  }

  /** The number of steps that were taken. */
  get taken(): number {
    return this.most - this.#leftOfAll;
  }

  /** Begins the next relocation. Throws CORE_UNSUPPORTED if none is left. */
  begin(): this {
    this.#left = MAX_STEPS;
    this.take(RELOCATION_STEPS);
    return this;
  }

  /** Throws CORE_UNSUPPORTED if there were too many. */
  take(count = 1): void {
    this.#left -= count;
    this.#leftOfAll -= count;
    if (this.#left < 0 || this.#leftOfAll < 0)
      throw coreError(
        "CORE_UNSUPPORTED",
        `comparing its types takes more than ${this.#left < 0 ? MAX_STEPS : this.most} steps`,
        "read a smaller type",
      );
  }
}
