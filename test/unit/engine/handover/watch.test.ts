import { describe, expect, it } from "vitest";
import { DecisionWatch } from "../../../../src/engine/handover/watch.js";

describe("what a decision thread is doing", () => {
  it("is nothing that could be overdue until an attachment is asked", () => {
    const watch = new DecisionWatch();
    watch.begin(7);
    expect(watch.overdue(0)).toBeNull();
    expect(watch.patience(25, 100)).toBe(100);
  });

  it("is overdue after its time limit and the grace period, and is reported with request and attachment", () => {
    const watch = new DecisionWatch();
    watch.begin(7);
    watch.ask(2, -10);
    expect(new DecisionWatch(watch.memory).overdue(0)).toMatchObject({ request: 7, attachment: 2, preparing: false });
    expect(watch.overdue(1000)).toBeNull();
    expect(watch.patience(1000, 10_000)).toBeLessThanOrEqual(1000);
    watch.answered();
    expect(watch.overdue(0)).toBeNull();
  });

  it("tells an attachment that is prepared from one that is asked, with a deadline of its own, in a decision or before any", () => {
    const watch = new DecisionWatch();
    watch.prepare(3);
    expect(watch.overdue(0)).toBeNull();
    expect(watch.patience(0, 1e6)).toBeGreaterThan(100);
    watch.prepare(3, -10);
    expect(watch.overdue(0)).toMatchObject({ request: 0, attachment: 3, preparing: true });
    watch.begin(7);
    watch.prepare(4, -10);
    expect(watch.overdue(0)).toMatchObject({ request: 7, attachment: 4, preparing: true });
    watch.ask(4, -10);
    expect(watch.overdue(0)).toMatchObject({ request: 7, attachment: 4, preparing: false });
  });

  it("wakes the waiting thread", () => {
    const watch = new DecisionWatch();
    const seen = watch.responses;
    watch.responded();
    watch.waitForResponse(seen, Number.POSITIVE_INFINITY); // the test never ends where nothing wakes it
    expect(watch.responses).toBe(seen + 1);
  });
});
