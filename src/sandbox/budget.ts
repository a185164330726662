import { type GuestMemory, NO_LIMIT } from "./quickjs/memory.js";
import { ENGINE_FREE, UNITS_PER_STEP } from "./subjects/weights.js";

/** Steps that the guest counts itself before it asks the host for more; each request takes 5 µs. */
const SLICE = 4096;
/**
 * Units that the engine has beyond the budget. After a small overrun, which is detected at the next host call, the next
 * slice or the end, they let the engine unwind. If they are used up too, the engine traps, and the module is lost.
 */
const UNWINDING = 20_000;

/**
 * The steps of one decision. The engine takes units from `memory.units`, and the host with `pay`. The linked policy
 * counts steps in a variable of its own, one slice at a time, and each slice is paid when it is used up. So all work of
 * a decision is paid from one budget, which can be exceeded by less than a slice.
 */
export class StepBudget {
  readonly #memory: GuestMemory;
  #steps = 0;
  /** The units that the engine may take. */
  #units = 0;
  /** Units that `pay` took, as opposed to the engine. */
  #paid = 0;
  /** Steps in the current slice. */
  #slice = 0;
  #exhausted = false;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Starts a decision that has used `charged` units already. Returns the first slice. */
  begin(steps: number, charged: number): number {
    this.#steps = steps;
    this.#exhausted = false;
    this.#slice = Math.min(steps, SLICE);
    this.#paid = charged;
    const units = steps * UNITS_PER_STEP + ENGINE_FREE + UNWINDING;
    this.#units = Math.min(units, NO_LIMIT);
    this.#memory.units = this.#units - charged;
    return this.#slice;
  }

  /** Returns the next slice after the last one is used up; 0 if no step is left. */
  next(): number {
    const spent = this.#slice * UNITS_PER_STEP;
    this.#slice = 0;
    if (!this.pay(spent)) return 0;
    this.#slice = Math.min(SLICE, this.#steps - Math.ceil(this.#used() / UNITS_PER_STEP));
    if (this.#slice === 0) this.#exhaust();
    return this.#slice;
  }

  /** Takes units. Returns false if too few are left: the policy is then out of steps. */
  pay(units: number): boolean {
    if (this.#exhausted) return false;
    if (this.#used() + units > this.#steps * UNITS_PER_STEP) {
      this.#exhaust();
      return false;
    }
    this.#paid += units;
    this.#memory.units -= units;
    return true;
  }

  /**
   * Ends the decision, with `left` steps of the slice. Returns the steps used; more than the budget if it was exceeded.
   */
  end(left: number): number {
    const units = this.#memory.units;
    const used = this.#used(units);
    const ranOut = this.#exhausted || units < 0;
    this.#memory.units = NO_LIMIT;
    return ranOut ? this.#steps + 1 : Math.floor(used / UNITS_PER_STEP) + this.#slice - left;
  }

  /** Units that were paid, plus those that the engine took beyond its free ones. */
  #used(left = this.#memory.units): number {
    const engine = this.#units - left - this.#paid;
    return engine > ENGINE_FREE ? this.#paid + engine - ENGINE_FREE : this.#paid;
  }

  #exhaust(): void {
    this.#exhausted = true;
    this.#memory.units = UNWINDING;
  }
}
