import { describe, expect, it } from "vitest";
import {
  type Action,
  ANALYSIS_TIMEOUT,
  type BlockedWorker,
  KEEP_STANDBY,
  type Limits,
  nextAction,
  POLICY_GRACE,
  pollInterval,
  REPLACE_AFTER,
  type Standby,
  type WorkerSnapshot,
} from "../../../../src/gate/supervisor/next-action.js";
import type { Wait } from "../../../../src/gate/task/blocking/blocking-op.js";

const NOW = 1_000_000;
const STALL = 250;
/** START_STANDBY_AFTER */
const SOON = 8;

interface State {
  readonly wait?: Wait;
  /** Milliseconds in the operation, and for how many of them the watcher saw it; as many if not given. */
  readonly waited?: number;
  readonly observed?: number;
  readonly isKilled?: boolean;
  /** Milliseconds since the policy's deadline, negative before it, and for how many of them the watcher saw it. */
  readonly overdue?: number;
  readonly seenOverdue?: number;
  readonly standby?: Standby["state"];
  /** Milliseconds since a standby thread was last needed. */
  readonly notNeededFor?: number;
  readonly isAlone?: boolean;
  readonly keepsStandby?: boolean;
}

function snapshotOf(state: State): WorkerSnapshot {
  const { wait, waited = 0, observed = waited, isKilled = false, overdue } = state;
  const { seenOverdue = overdue } = state;
  const blocked: BlockedWorker | null =
    wait === undefined
      ? null
      : {
          first: NOW - waited,
          since: NOW - waited,
          count: 3,
          wait,
          observed,
          isKilled,
        };
  return {
    blocked,
    policy: overdue === undefined ? null : { count: 5, deadline: NOW - overdue, overdue: Math.max(0, seenOverdue!) },
    standby: { state: state.standby ?? "ready", neededAt: NOW - (state.notNeededFor ?? 0) },
  };
}

function limitsOf({ isAlone = true, keepsStandby = false }: State): Limits {
  return { stall: STALL, isAlone, keepsStandby };
}

const actionOf = (state: State, now = NOW) => nextAction(snapshotOf(state), limitsOf(state), now);

const WAITS_FOR_A_TASK = ["memory", "file", "path"] as const;
const ALL_WAITS = [...WAITS_FOR_A_TASK, "kernel", "analysis"] as const;
const STANDBY_STATES = ["none", "starting", "ready", "failed"] as const;

type Row = readonly [title: string, state: State, action: Action["do"]];

describe("the next action on a thread", () => {
  it.each<Row>([
    ["idle", {}, "none"],
    ["idle, with no standby thread", { standby: "none", notNeededFor: KEEP_STANDBY + 1 }, "none"],
    ["idle, with a standby thread that was needed lately", { notNeededFor: KEEP_STANDBY }, "none"],
    ["idle, with a standby thread that was not needed for long", { notNeededFor: KEEP_STANDBY + 1 }, "stopStandby"],
    [
      "idle, with a standby thread that is still starting",
      { standby: "starting", notNeededFor: KEEP_STANDBY + 1 },
      "stopStandby",
    ],
    ["idle, after a failed start", { standby: "failed", notNeededFor: KEEP_STANDBY + 1 }, "none"],
    ["idle, in a gate that serves containers", { standby: "none", keepsStandby: true }, "startStandby"],
    [
      "idle, in a gate that serves containers, for long",
      { keepsStandby: true, notNeededFor: KEEP_STANDBY + 1 },
      "startStandby",
    ],
  ])("%s", (_, state, action) => {
    expect(actionOf(state).do).toBe(action);
  });

  it.each<Row>([
    ["before its deadline", { overdue: -1 }, "none"],
    ["at its deadline", { overdue: 0 }, "startStandby"],
    ["just before the end of the grace period", { overdue: POLICY_GRACE - 1 }, "startStandby"],
    ["after the grace period", { overdue: POLICY_GRACE }, "terminate"],
    ["after the grace period, not seen", { overdue: 10_000, seenOverdue: POLICY_GRACE - 1 }, "startStandby"],
    ["after the grace period, with no standby thread", { overdue: POLICY_GRACE, standby: "none" }, "startStandby"],
    ["after the grace period, before another is ready", { overdue: POLICY_GRACE, standby: "starting" }, "startStandby"],
    ["after the grace period, if no other starts", { overdue: POLICY_GRACE, standby: "failed" }, "giveUp"],
    ["at its deadline, if no other starts", { overdue: 0, standby: "failed" }, "startStandby"],
  ])("in a policy %s", (_, state, action) => {
    for (const isAlone of [true, false]) expect(actionOf({ ...state, isAlone }).do).toBe(action);
  });

  describe.each(WAITS_FOR_A_TASK)("that waits for a task's %s", (wait) => {
    it.each<Row>([
      ["at once", { waited: 0 }, "none"],
      ["until a standby thread is started", { waited: SOON }, "none"],
      ["longer than that", { waited: SOON + 1 }, "startStandby"],
      ["until it is replaced", { waited: REPLACE_AFTER }, "startStandby"],
      ["longer than that", { waited: REPLACE_AFTER + 1 }, "replaceWorker"],
      ["that long, with no standby thread", { waited: REPLACE_AFTER + 1, standby: "none" }, "startStandby"],
      ["that long, before another is ready", { waited: REPLACE_AFTER + 1, standby: "starting" }, "startStandby"],
      ["that long, if no other starts", { waited: REPLACE_AFTER + 1, standby: "failed" }, "giveUp"],
      ["that long, of which the watcher saw little", { waited: STALL, observed: 10 }, "startStandby"],
      ["until the task is killed", { waited: STALL, standby: "starting" }, "startStandby"],
      ["longer than that", { waited: STALL + 1, standby: "starting" }, "killTask"],
      ["longer than that, with a ready standby thread", { waited: STALL + 1 }, "killTask"],
      ["although the task was killed", { waited: STALL + 1, isKilled: true }, "replaceWorker"],
      ["although the task was killed", { waited: STALL + 1, isKilled: true, standby: "starting" }, "startStandby"],
      ["longer than that, of which the watcher saw less", { waited: 10 * STALL, observed: STALL }, "replaceWorker"],
    ])("among several containers, %s", (_, state, action) => {
      expect(actionOf({ wait, isAlone: false, ...state }).do).toBe(action);
    });

    it.each<Row>([
      ["until the task is killed", { waited: STALL }, "none"],
      ["longer than that", { waited: STALL + 1 }, "killTask"],
      ["longer than that, of which the watcher saw less", { waited: 10 * STALL, observed: STALL }, "none"],
      ["with the thread's own work between", { waited: STALL, observed: STALL + 1 }, "none"],
      ["after the kill", { waited: STALL + SOON, isKilled: true }, "none"],
      ["although the task was killed", { waited: STALL + SOON + 1, isKilled: true }, "startStandby"],
      ["although the task was killed", { waited: STALL + REPLACE_AFTER, isKilled: true }, "startStandby"],
      ["although the task was killed", { waited: STALL + REPLACE_AFTER + 1, isKilled: true }, "replaceWorker"],
    ])("alone, %s", (_, state, action) => {
      expect(actionOf({ wait, ...state }).do).toBe(action);
    });
  });

  it.each<Row>([
    ["among several containers", { waited: REPLACE_AFTER, isAlone: false }, "startStandby"],
    ["among several containers, for longer", { waited: REPLACE_AFTER + 1, isAlone: false }, "replaceWorker"],
    ["among several containers, for long", { waited: 3_600_000, isAlone: false }, "replaceWorker"],
    ["alone, without limit", { waited: 3_600_000 }, "none"],
  ])("that waits for the kernel %s", (_, state, action) => {
    expect(actionOf({ wait: "kernel", ...state }).do).toBe(action);
  });

  it.each<Row>([
    ["for long", { waited: ANALYSIS_TIMEOUT - 2000 }, "none"],
    ["until shortly before its limit", { waited: ANALYSIS_TIMEOUT - 1999 }, "startStandby"],
    ["until its limit", { waited: ANALYSIS_TIMEOUT }, "startStandby"],
    ["longer than that", { waited: ANALYSIS_TIMEOUT + 1 }, "terminate"],
    ["longer than that, of which the watcher saw less", { waited: 2 * ANALYSIS_TIMEOUT, observed: 9000 }, "none"],
    ["longer than that, with no standby thread", { waited: ANALYSIS_TIMEOUT + 1, standby: "none" }, "startStandby"],
    ["longer than that, if no other starts", { waited: ANALYSIS_TIMEOUT + 1, standby: "failed" }, "giveUp"],
  ])("in an analysis %s", (_, state, action) => {
    for (const isAlone of [true, false]) expect(actionOf({ wait: "analysis", isAlone, ...state }).do).toBe(action);
  });

  it.each(ALL_WAITS)("that waits (%s) while a policy is overdue keeps a standby thread", (wait) => {
    expect(actionOf({ wait, overdue: 0 }).do).toBe("startStandby");
    expect(actionOf({ wait, overdue: -1 }).do).toBe("none");
  });

  it("names the operation, the policy or the analysis", () => {
    expect(actionOf({ overdue: POLICY_GRACE })).toEqual({ do: "terminate", cause: { of: "policy", count: 5 } });
    expect(actionOf({ wait: "analysis", waited: ANALYSIS_TIMEOUT + 1 })).toEqual({
      do: "terminate",
      cause: { of: "analysis", count: 3 },
    });
    const state: State = { wait: "memory", waited: STALL + 1, isAlone: false };
    expect(actionOf(state)).toEqual({ do: "killTask", blocked: snapshotOf(state).blocked });
    const killed: State = { ...state, isKilled: true };
    expect(actionOf(killed)).toEqual({ do: "replaceWorker", blocked: snapshotOf(killed).blocked });
  });

  it("takes no action against a task or thread because the clock was set back", () => {
    for (const wait of ALL_WAITS)
      for (const standby of STANDBY_STATES)
        expect(actionOf({ wait, waited: -3_600_000, observed: 0, standby }).do).toBe("none");
    for (const standby of STANDBY_STATES) expect(actionOf({ overdue: -3_600_000, standby }).do).toBe("none");
  });

  it("replaces or terminates a thread only if another is ready", () => {
    for (const standby of STANDBY_STATES)
      for (const isAlone of [true, false])
        for (const wait of [...ALL_WAITS, undefined])
          for (const waited of [0, 10, 26, 251, 276, 30_001]) {
            const { do: what } = actionOf({ ...(wait && { wait }), waited, overdue: waited, standby, isAlone });
            if (what === "replaceWorker" || what === "terminate") expect(standby).toBe("ready");
            if (what === "giveUp") expect(standby).toBe("failed");
          }
  });
});

describe("the interval between two polls", () => {
  it.each<readonly [string, State, number]>([
    ["idle, with one container", {}, 20],
    ["idle, with several", { isAlone: false }, 10],
    ["in a wait", { wait: "kernel" }, 5],
    ["in a wait, with several containers", { wait: "memory", isAlone: false }, 5],
    ["in a policy", { overdue: -1 }, 20],
    ["in a policy after its deadline", { overdue: 0 }, 5],
  ])("%s", (_, state, milliseconds) => {
    expect(pollInterval(snapshotOf(state), limitsOf(state), NOW)).toBe(milliseconds);
  });

  it("without a thread", () => {
    expect(pollInterval(null, limitsOf({}), NOW)).toBe(20);
    expect(pollInterval(null, limitsOf({ isAlone: false }), NOW)).toBe(10);
  });
});
