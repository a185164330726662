import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DecisionWatch } from "../../../../src/engine/handover/watch.js";
import type { Action, Limits, Standby } from "../../../../src/gate/supervisor/next-action.js";
import { type Watched, Watcher } from "../../../../src/gate/supervisor/watcher.js";
import { Watch } from "../../../../src/gate/task/blocking/watch.js";
import { monotonic } from "../../../../src/monotonic.js";
import { fakeTime, passTime } from "../../../support/passing-time.js";

const STALL = 250;
const TIMEOUT = 50;

describe("a watcher", () => {
  let thread: Watched | null;
  let standby: Standby["state"];
  let limits: Limits;
  let actions: Action[];
  let watch: Watch;
  let decisions: DecisionWatch;
  let watcher: Watcher<Watched>;
  /** Number of polls. */
  let polls: number;

  beforeEach(() => {
    fakeTime("setTimeout", "clearTimeout");
    watch = new Watch();
    watch.enter(7, []);
    decisions = new DecisionWatch();
    thread = { watch, decisions };
    standby = "starting";
    limits = { stall: STALL, isAlone: true, keepsStandby: false };
    actions = [];
    polls = 0;
    watcher = new Watcher({
      get watched() {
        polls += 1;
        return thread;
      },
      get standby(): Standby {
        return { state: standby, neededAt: monotonic() };
      },
      get limits() {
        return limits;
      },
      carryOut: (action) => actions.push(action),
    });
  });
  afterEach(() => {
    watcher.stop();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  /** The machine is stalled for some time: neither the thread nor its watcher runs. */
  const stallMachine = (milliseconds: number) => passTime(milliseconds);
  const count = (what: Action["do"]) => actions.filter((action) => action.do === what).length;
  const pollsIn = (milliseconds: number) => {
    const before = polls;
    vi.advanceTimersByTime(milliseconds);
    return polls - before;
  };

  it("kills a task once that makes the gate wait for longer than `gate.stall`", () => {
    watch.block("memory");
    vi.advanceTimersByTime(STALL);
    expect(count("killTask")).toBe(0);
    vi.advanceTimersByTime(100);
    expect(count("killTask")).toBe(1);
    expect(actions.find((action) => action.do === "killTask")).toMatchObject({ blocked: { count: 1, wait: "memory" } });
  });

  it("kills a task that sets the clock of the system back again and again, and ends a policy meanwhile", () => {
    const setBack = (times: number) => {
      for (let time = 0; time < times; time += 1) {
        vi.setSystemTime(1_000_000);
        vi.advanceTimersToNextTimer();
      }
    };
    watch.block("memory");
    setBack(STALL);
    expect(count("killTask")).toBe(1);
    watch.unblock();
    standby = "ready";
    decisions.ask(0, TIMEOUT);
    setBack(50);
    expect(count("terminate")).toBeGreaterThan(0);
  });

  it("kills the task of the thread that took over, too, although its operation has the same number", () => {
    watch.block("memory");
    vi.advanceTimersByTime(STALL + 20);
    const next = new Watch();
    next.enter(7, []);
    next.block("memory");
    thread = { watch: next, decisions };
    vi.advanceTimersByTime(STALL + 20);
    expect(count("killTask")).toBe(2);
  });

  it("kills and replaces at one poll if both are due", () => {
    limits = { ...limits, isAlone: false };
    watch.block("memory");
    vi.advanceTimersByTime(STALL);
    standby = "ready";
    limits = { ...limits, stall: 0 };
    actions = [];
    vi.advanceTimersToNextTimer();
    expect(actions.map((action) => action.do)).toEqual(["killTask", "replaceWorker"]);
    expect(actions[1]).toMatchObject({ blocked: { isKilled: true } });
  });

  it("does not count what the thread did between two waits", () => {
    for (let turn = 0; turn < 4; turn += 1) {
      watch.block("memory");
      vi.advanceTimersByTime(20);
      watch.unblock();
      vi.advanceTimersByTime(10 * STALL);
    }
    watch.block("memory");
    vi.advanceTimersByTime(20);
    expect(count("killTask")).toBe(0);
  });

  it("kills no task because the machine stood still, however often it did", () => {
    watch.block("memory");
    for (let times = 0; times < STALL / 10; times += 1) {
      stallMachine(10 * STALL);
      vi.advanceTimersToNextTimer();
    }
    expect(count("killTask")).toBe(0);
    vi.advanceTimersByTime(30);
    expect(count("killTask")).toBe(1);
  });

  it("reports which policy did not return", () => {
    standby = "ready";
    decisions.ask(0, TIMEOUT);
    vi.advanceTimersByTime(200);
    expect(actions.find((action) => action.do === "terminate")).toEqual({
      do: "terminate",
      cause: { of: "policy", count: decisions.look()!.count },
    });
  });

  it("terminates no thread because the machine was stalled while a policy was asked", () => {
    standby = "ready";
    decisions.ask(0, TIMEOUT);
    stallMachine(10_000);
    vi.advanceTimersByTime(25); // the first poll and some after it
    decisions.answered();
    vi.advanceTimersByTime(200);
    expect(count("terminate")).toBe(0);
  });

  it("counts what one policy exceeded its time by for no other", () => {
    standby = "ready";
    for (let asked = 0; asked < 10; asked += 1) {
      decisions.ask(0, TIMEOUT);
      vi.advanceTimersByTime(TIMEOUT + 30);
      decisions.answered();
    }
    expect(count("terminate")).toBe(0);
  });

  it("polls every 20 ms for one container, every 10 ms for several, and every 5 ms during a wait", () => {
    vi.advanceTimersByTime(10);
    expect(pollsIn(100)).toBe(5);
    limits = { ...limits, isAlone: false };
    vi.advanceTimersByTime(20);
    expect(pollsIn(100)).toBe(10);
    watch.block("memory");
    vi.advanceTimersByTime(10);
    expect(pollsIn(100)).toBe(20);
  });

  it("does nothing while there is no thread to watch, nor after it was stopped", () => {
    thread = null;
    watch.block("memory");
    vi.advanceTimersByTime(10 * STALL);
    expect(actions).toEqual([]);
    watcher.stop();
    expect(pollsIn(1000)).toBe(0);
  });
});
