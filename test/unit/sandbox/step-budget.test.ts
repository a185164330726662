import { describe, expect, it } from "vitest";
import { StepBudget } from "../../../src/sandbox/budget.js";
import { GuestMemory } from "../../../src/sandbox/quickjs/memory.js";
import { ENGINE_FREE, UNITS_PER_STEP } from "../../../src/sandbox/subjects/weights.js";

/** A budget of ten steps, and the memory from which the engine takes units. */
function started(steps = 10, charged = 0) {
  const memory = new GuestMemory();
  const budget = new StepBudget(memory);
  return { memory, budget, slice: budget.begin(steps, charged) };
}

describe("the steps of a decision", () => {
  it("are given in slices of 4096", () => {
    expect(started(10).slice).toBe(10);
    expect(started(4096).slice).toBe(4096);
    const { budget, slice } = started(5000);
    expect([slice, budget.next(), budget.next()]).toEqual([4096, 904, 0]);
    expect(budget.end(0)).toBe(5001);
  });

  it("are paid to the last unit, and not beyond", () => {
    const { budget } = started();
    expect(budget.pay(9 * UNITS_PER_STEP)).toBe(true);
    expect(budget.pay(UNITS_PER_STEP)).toBe(true);
    expect(budget.pay(1)).toBe(false);
    // there is no second chance for less
    expect(budget.pay(0)).toBe(false);
  });

  it("are used up by a decision that pays one unit too many", () => {
    const { budget } = started();
    expect(budget.pay(10 * UNITS_PER_STEP + 1)).toBe(false);
    expect(budget.end(10)).toBe(11);
  });

  it("begin with what was charged before", () => {
    const { budget } = started(10, 4 * UNITS_PER_STEP);
    expect(budget.pay(6 * UNITS_PER_STEP)).toBe(true);
    expect(budget.pay(1)).toBe(false);
  });

  it("are taken by the engine beyond its free units", () => {
    const { memory, budget } = started();
    memory.units -= ENGINE_FREE;
    expect(budget.pay(9 * UNITS_PER_STEP)).toBe(true);
    memory.units -= UNITS_PER_STEP;
    expect(budget.pay(1)).toBe(false);
  });

  it("are counted whole: what was paid, what the engine took, and the slice without what is left of it", () => {
    const { memory, budget, slice } = started(100);
    expect(slice).toBe(100);
    expect(budget.pay(3 * UNITS_PER_STEP)).toBe(true);
    memory.units -= ENGINE_FREE + 2 * UNITS_PER_STEP;
    expect(budget.end(60)).toBe(3 + 2 + 40);
  });

  it("are too many if the engine has no units left", () => {
    const { memory, budget } = started();
    memory.units = -1;
    expect(budget.end(10)).toBe(11);
  });
});
