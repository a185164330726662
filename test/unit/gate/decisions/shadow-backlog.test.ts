import { describe, expect, it } from "vitest";
import { ShadowBacklog } from "../../../../src/gate/decisions/shadow-backlog.js";

describe("how far a shadow is behind", () => {
  it("is limited in questions, and known to all that share the memory", () => {
    const backlog = new ShadowBacklog();
    const other = new ShadowBacklog(backlog.memory);
    for (let count = 0; count < 1024; count += 1) expect(backlog.add(1)).toBe(true);
    expect([other.isFull, other.add(1)]).toEqual([true, false]);
    other.done(1);
    expect([backlog.add(1), backlog.size]).toEqual([true, 1024]);
  });

  it("is limited in bytes", () => {
    const backlog = new ShadowBacklog();
    expect(backlog.add(40 * 2 ** 20)).toBe(true);
    expect(backlog.add(25 * 2 ** 20)).toBe(false);
    backlog.done(40 * 2 ** 20);
    expect(backlog.add(25 * 2 ** 20)).toBe(true);
  });

  it("takes nothing once the shadow has stopped", () => {
    const backlog = new ShadowBacklog();
    backlog.stop();
    expect([new ShadowBacklog(backlog.memory).add(1), backlog.size]).toEqual([false, 0]);
  });
});
