import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DecisionWatch } from "../../../../src/engine/handover/watch.js";
import { OverduePolicy } from "../../../../src/gate/supervisor/overdue-policy.js";
import { monotonic } from "../../../../src/monotonic.js";
import { fakeTime } from "../../../support/passing-time.js";

const TIMEOUT = 50;

describe("the time that a policy exceeds its limit by", () => {
  let decisions: DecisionWatch;
  let overdue: OverduePolicy;
  let now: number;

  beforeEach(() => {
    fakeTime();
    now = monotonic();
    decisions = new DecisionWatch();
    overdue = new OverduePolicy();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const lookAfter = (milliseconds: number) => overdue.add(decisions, now + milliseconds);

  it("is nothing before the limit and without a policy", () => {
    expect(lookAfter(0)).toBe(0);
    decisions.ask(0, TIMEOUT);
    expect([lookAfter(20), lookAfter(TIMEOUT - 1), lookAfter(TIMEOUT)]).toEqual([0, 0, 0]);
    decisions.answered();
    expect(lookAfter(TIMEOUT + 5)).toBe(0);
  });

  it("grows with each look", () => {
    decisions.ask(0, TIMEOUT);
    expect([5, 10, 15].map((late) => lookAfter(TIMEOUT + late))).toEqual([5, 10, 15]);
  });

  it("does not grow by more than a poll while the machine is stalled", () => {
    decisions.ask(0, TIMEOUT);
    expect(lookAfter(10_000)).toBe(10);
    expect(lookAfter(20_000)).toBe(20);
  });

  it("begins again with the next policy", () => {
    decisions.ask(0, TIMEOUT);
    expect(lookAfter(TIMEOUT + 8)).toBe(8);
    decisions.ask(1, TIMEOUT + 20);
    expect(lookAfter(TIMEOUT + 22)).toBe(2);
  });
});
