import { type GuestMemory, NO_LIMIT } from "./memory.js";
import { ENGINE_FREE, UNITS_PER_STEP } from "./weights.js";

/** Steps that the guest counts by itself before it asks for more: each time it asks takes 5 µs. */
const SLICE = 4096;
/**
 * Units that the engine has beyond the budget. When they are used up it traps, and the module is lost. With these the engine can
 * unwind after a small overrun, which is found at the next call of the host, at the next slice, or at the end.
 */
const UNWINDING = 20_000;

/**
 * The steps of one decision. The engine takes units from `memory.units`, and the host with `pay`; the linked policy counts steps
 * in a variable of its own, one slice at a time, and each slice is paid when it is used up. So all work of a decision is paid from
 * one budget, and it exceeds this by less than a slice.
 */
export class StepBudget {
  readonly #memory: GuestMemory;
  #steps = 0;
  /** All units that the engine may take. */
  #units = 0;
  /** Units that were paid by `pay`, and not taken by the engine. */
  #paid = 0;
  /** The slice that the policy is counting: steps. */
  #slice = 0;
  #exhausted = false;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** Begins a decision that has used `charged` units before it runs. Returns the first slice. */
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

  /** The next slice, after the last one is used up; 0 where no step is left. */
  next(): number {
    const spent = this.#slice * UNITS_PER_STEP;
    this.#slice = 0;
    if (!this.pay(spent)) return 0;
    this.#slice = Math.min(SLICE, this.#steps - Math.ceil(this.#used() / UNITS_PER_STEP));
    if (this.#slice === 0) this.#exhaust();
    return this.#slice;
  }

  /** Takes units. Returns false if there are too few: the policy is then out of steps. */
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

  /** The decision is over, with `left` steps of its slice. Returns the steps that it used, which exceed the budget if it ran out. */
  end(left: number): number {
    const units = this.#memory.units;
    const used = this.#used(units);
    const ranOut = this.#exhausted || units < 0;
    this.#memory.units = NO_LIMIT;
    return ranOut ? this.#steps + 1 : Math.floor(used / UNITS_PER_STEP) + this.#slice - left;
  }

  /** Units that were paid, and that the engine took beyond those that are free. */
  #used(left = this.#memory.units): number {
    const engine = this.#units - left - this.#paid;
    return engine > ENGINE_FREE ? this.#paid + engine - ENGINE_FREE : this.#paid;
  }

  #exhaust(): void {
    this.#exhausted = true;
    this.#memory.units = UNWINDING;
  }
}
