import { describe, expect, it } from "vitest";
import { ReleaseCounter, SLOTS } from "../../../../src/gate/call/release-counter.js";

const LIMIT = 120;
/** What is made up for in a slot. */
const EACH = LIMIT / SLOTS;
const START = 1000;

describe("the releases of the last second", () => {
  const begin = (memory?: SharedArrayBuffer) => {
    const counter = new ReleaseCounter(memory);
    if (memory === undefined) counter.advance(START, LIMIT);
    const add = (count: number, at: number) => counter.add(new Map([[at, count]]), LIMIT);
    return { counter, add };
  };

  it("are those of the present slot and of the slots before it", () => {
    const { counter, add } = begin();
    add(5, START);
    counter.advance(START + SLOTS - 1, LIMIT);
    add(7, START + SLOTS - 1);
    expect(counter.recent).toBe(12);
    counter.advance(START + SLOTS, LIMIT);
    expect(counter.recent).toBe(7);
    counter.advance(START + 100 * SLOTS, LIMIT);
    expect(counter.recent).toBe(0);
  });

  it("are counted in the slot in which they happened, if it still counts", () => {
    const { counter, add } = begin();
    add(3, START - SLOTS + 1);
    add(4, START - SLOTS);
    expect(counter.recent).toBe(3);
    counter.advance(START + 1, LIMIT);
    expect(counter.recent).toBe(0);
  });

  it("are due for as long as their number takes at the limit", () => {
    const { counter, add } = begin();
    add(10 * LIMIT, START);
    counter.advance(START + 5 * SLOTS, LIMIT);
    expect([counter.recent, counter.due]).toEqual([0, 5 * LIMIT]);
    counter.advance(START + 10 * SLOTS, LIMIT);
    expect(counter.due).toBe(0);
  });

  it("are due for less if they are seen late, and not for more than once", () => {
    const { counter } = begin();
    counter.add(
      new Map([
        [START - 20, LIMIT],
        [START - 30, LIMIT],
      ]),
      LIMIT,
    );
    expect(counter.due).toBe(2 * LIMIT - 30 * EACH < 0 ? 0 : LIMIT - 10 * EACH + LIMIT - 20 * EACH);
    counter.add(new Map([[START - 20, EACH]]), LIMIT);
    expect(counter.recent).toBe(0);
  });

  it("say in how many slots there may be fewer", () => {
    const { counter, add } = begin();
    expect(counter.slotsToLess(LIMIT)).toBe(1);
    add(1, START - 2);
    expect(counter.slotsToLess(LIMIT)).toBe(SLOTS - 2);
    add(1, START - SLOTS + 1);
    expect(counter.slotsToLess(LIMIT)).toBe(1);
    add(3 * LIMIT, START);
    expect(counter.slotsToLess(LIMIT)).toBeGreaterThanOrEqual(2 * SLOTS);
  });

  it("are known to the thread that takes over, and so is that the log said it", () => {
    const { counter, add } = begin();
    add(9, START);
    expect([counter.announce(), counter.announce()]).toEqual([true, false]);
    const { counter: next } = begin(counter.memory);
    expect([next.recent, next.due, next.announce()]).toEqual([9, 9, false]);
  });
});
