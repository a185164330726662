import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DecisionWatch } from "../../../../src/engine/watch.js";
import { Watch } from "../../../../src/gate/threads/watch.js";
import { ObservedWait, Watcher } from "../../../../src/gate/threads/watcher.js";

describe("a watcher's patience", () => {
  it("counts the time since the wait began, at looks that follow each other", () => {
    const observed = new ObservedWait();
    expect(observed.look({ first: 1000 }, 1004)).toBe(4);
    expect(observed.look({ first: 1000 }, 1009)).toBe(9);
    expect(observed.look({ first: 1000 }, 1015)).toBe(15);
  });

  it("begins anew with another wait, and with none", () => {
    const observed = new ObservedWait();
    observed.look({ first: 1000 }, 1008);
    expect(observed.look({ first: 1010 }, 1013)).toBe(3);
    expect(observed.look(null, 1018)).toBe(0);
    expect(observed.look({ first: 1010 }, 1020)).toBe(10);
  });

  it("does not count time in which it could not look itself: the machine stood still for both", () => {
    const observed = new ObservedWait();
    expect(observed.look({ first: 1000 }, 3000)).toBe(10);
    expect(observed.look({ first: 1000 }, 9000)).toBe(20);
    expect(observed.look({ first: 1000 }, 9005)).toBe(25);
  });

  it("does not go back with the clock", () => {
    const observed = new ObservedWait();
    expect(observed.look({ first: 5000 }, 4000)).toBe(0);
    expect(observed.look({ first: 5000 }, 3900)).toBe(0);
    expect(observed.look({ first: 5000 }, 3905)).toBe(5);
  });
});

describe("a watcher turns a task away", () => {
  const STALL = 250;
  let watch: Watch;
  let watcher: Watcher<{ readonly watch: Watch; readonly decisions: DecisionWatch }>;
  let turned: number;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    watch = new Watch();
    watch.enter(7, []);
    turned = 0;
    const thread = { watch, decisions: new DecisionWatch() };
    watcher = new Watcher({
      thread: () => thread,
      alone: () => true,
      stall: () => STALL,
      prepare: () => {},
      rest: () => {},
      canReplace: () => false,
      killAndDeny: () => {
        turned += 1;
      },
      replaceBlocked: () => {},
      end: () => {},
    });
  });
  afterEach(() => {
    watcher.stop();
    vi.useRealTimers();
  });

  /** Time passes in which nothing on the machine runs: neither the thread nor its watcher. */
  const standStill = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

  it("that makes the gate wait for longer than it may", () => {
    watch.block("memory");
    vi.advanceTimersByTime(STALL);
    expect(turned).toBe(0);
    vi.advanceTimersByTime(20);
    expect(turned).toBeGreaterThan(0);
  });

  it("but not for what the thread itself did in between", () => {
    for (let turn = 0; turn < 4; turn += 1) {
      watch.block("memory");
      vi.advanceTimersByTime(20);
      watch.unblock();
      vi.advanceTimersByTime(10 * STALL);
    }
    watch.block("memory");
    vi.advanceTimersByTime(20);
    expect(turned).toBe(0);
  });

  it("but not because the machine stood still", () => {
    watch.block("memory");
    standStill(10 * STALL);
    vi.advanceTimersByTime(30); // the first look and some after it
    watch.unblock();
    watch.leave();
    vi.advanceTimersByTime(STALL);
    expect(turned).toBe(0);
  });

  it("soon after that, if it makes the gate wait still, however late the looks are", () => {
    watch.block("memory");
    standStill(10 * STALL);
    vi.advanceTimersToNextTimer();
    expect(turned).toBe(0);
    standStill(10 * STALL);
    vi.advanceTimersToNextTimer();
    expect(turned).toBe(1);
  });
});

describe("a watcher ends a thread whose policy does not come back", () => {
  const WALL = 50;
  let decisions: DecisionWatch;
  let watcher: Watcher<{ readonly watch: Watch; readonly decisions: DecisionWatch }>;
  let ended: (() => boolean)[];

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    decisions = new DecisionWatch();
    ended = [];
    const thread = { watch: new Watch(), decisions };
    watcher = new Watcher({
      thread: () => (ended.length === 0 ? thread : null),
      alone: () => true,
      stall: () => 250,
      prepare: () => {},
      rest: () => {},
      canReplace: () => true,
      killAndDeny: () => {},
      replaceBlocked: () => {},
      end: (_, isStill) => void ended.push(isStill),
    });
  });
  afterEach(() => {
    watcher.stop();
    vi.useRealTimers();
  });

  const askTooLong = () => {
    decisions.ask(0, WALL);
    vi.advanceTimersByTime(200);
    expect(ended).toHaveLength(1);
  };

  it("and says so, once the thread has ended at that", () => {
    askTooLong();
    expect(ended[0]!()).toBe(true);
  });

  it("but not of what the thread was asked when the policy had come back before it ended", () => {
    askTooLong();
    decisions.answered();
    expect(ended[0]!()).toBe(false);
    decisions.ask(0, WALL);
    vi.advanceTimersByTime(200); // the thread got no processor meanwhile
    expect(decisions.overdue(0)).not.toBeNull();
    expect(ended[0]!()).toBe(false);
  });
});
