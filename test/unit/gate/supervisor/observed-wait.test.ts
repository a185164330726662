import { describe, expect, it } from "vitest";
import { ObservedWait } from "../../../../src/gate/supervisor/observed-wait.js";

describe("an observed wait", () => {
  it("counts the time since the wait began, at polls that follow each other", () => {
    const observed = new ObservedWait();
    expect(observed.add({ first: 1000 }, 1004)).toBe(4);
    expect(observed.add({ first: 1000 }, 1009)).toBe(9);
    expect(observed.add({ first: 1000 }, 1015)).toBe(15);
  });

  it("begins anew with another wait, and with none", () => {
    const observed = new ObservedWait();
    observed.add({ first: 1000 }, 1008);
    expect(observed.add({ first: 1010 }, 1013)).toBe(3);
    expect(observed.add(null, 1018)).toBe(0);
    expect(observed.add({ first: 1010 }, 1020)).toBe(10);
  });

  it("does not count a gap between polls: the watcher did not run, and probably the thread did not either", () => {
    const observed = new ObservedWait();
    expect(observed.add({ first: 1000 }, 3000)).toBe(10);
    expect(observed.add({ first: 1000 }, 9000)).toBe(20);
    expect(observed.add({ first: 1000 }, 9005)).toBe(25);
  });

  it("does not go back with the clock", () => {
    const observed = new ObservedWait();
    expect(observed.add({ first: 5000 }, 4000)).toBe(0);
    expect(observed.add({ first: 5000 }, 3900)).toBe(0);
    expect(observed.add({ first: 5000 }, 3905)).toBe(5);
  });
});
