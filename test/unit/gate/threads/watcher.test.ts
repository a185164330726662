import { describe, expect, it } from "vitest";
import { Patience } from "../../../../src/gate/threads/watcher.js";

describe("a watcher's patience", () => {
  it("counts the time since the wait began, at looks that follow each other", () => {
    const patience = new Patience();
    expect(patience.look({ first: 1000 }, 1004)).toBe(4);
    expect(patience.look({ first: 1000 }, 1009)).toBe(9);
    expect(patience.look({ first: 1000 }, 1015)).toBe(15);
  });

  it("begins anew with another wait, and with none", () => {
    const patience = new Patience();
    patience.look({ first: 1000 }, 1008);
    expect(patience.look({ first: 1010 }, 1013)).toBe(3);
    expect(patience.look(null, 1018)).toBe(0);
    expect(patience.look({ first: 1010 }, 1020)).toBe(10);
  });

  it("does not count time in which it could not look itself: the machine stood still for both", () => {
    const patience = new Patience();
    expect(patience.look({ first: 1000 }, 3000)).toBe(10);
    expect(patience.look({ first: 1000 }, 9000)).toBe(20);
    expect(patience.look({ first: 1000 }, 9005)).toBe(25);
  });

  it("does not go back with the clock", () => {
    const patience = new Patience();
    expect(patience.look({ first: 5000 }, 4000)).toBe(0);
    expect(patience.look({ first: 5000 }, 3900)).toBe(0);
    expect(patience.look({ first: 5000 }, 3905)).toBe(5);
  });
});
