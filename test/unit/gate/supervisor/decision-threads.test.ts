import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import { NO_SUSPENSIONS } from "../../../../src/engine/handover/suspension-list.js";
import { Tally } from "../../../../src/gate/decisions/tally.js";
import type { ToThread } from "../../../../src/gate/messages/messages.js";
import { BlockingWorkerPool } from "../../../../src/gate/supervisor/blocking-worker-pool.js";
import { DecisionThreads } from "../../../../src/gate/supervisor/decision-threads.js";
import { GateState } from "../../../../src/gate/supervisor/gate-state.js";
import { NO_FILE } from "../../../../src/gate/supervisor/listener-registry.js";
import { ANALYSIS_TIMEOUT } from "../../../../src/gate/supervisor/next-action.js";
import type { SupervisorEvent } from "../../../../src/gate/supervisor/supervisor-event.js";
import type { Wait } from "../../../../src/gate/task/blocking/blocking-op.js";
import { newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";
import { monotonic } from "../../../../src/monotonic.js";
import { FakeDecisionThread } from "../../../support/fake-decision-thread.js";
import { fakeTime } from "../../../support/passing-time.js";

const killed = vi.hoisted(() => ({ tid: 42 as number | null, calls: 0 }));
vi.mock("../../../../src/gate/supervisor/kill-task.js", () => ({
  killTask: () => {
    killed.calls += 1;
    return killed.tid;
  },
}));

const STALL = 250;
const TIMEOUT = 50;
const CONFIG = {
  keyrings: [],
  maps: [],
  attachments: [{ name: "a", mode: "enforce", limits: { timeout: TIMEOUT } }],
  gate: { stall: STALL },
} as unknown as Config;
const LISTENERS = [1000, 1001];

const containerOf = (id: string) => ({ id, name: id, labels: null, annotations: {} });

describe("the decision thread of a gate", () => {
  let threads: FakeDecisionThread[];
  let events: SupervisorEvent[];
  let state: GateState;
  let tally: Tally;
  let pool: BlockingWorkerPool;
  let supervised: DecisionThreads;
  /** Whether a standby thread becomes ready when it is started. */
  let becomesReady: boolean;

  const start = () => {
    const thread = new FakeDecisionThread(() => undefined);
    if (becomesReady || threads.length === 0) thread.say({ is: "ready" });
    threads.push(thread);
    return thread;
  };
  const listen = (...ids: readonly string[]) => {
    ids.forEach((id, index) => {
      state.listeners.add({ fd: LISTENERS[index]!, container: containerOf(id), cursor: NO_FILE, filter: "full" });
    });
  };
  /** The thread begins a call, and a blocking operation of it. */
  const block = (wait: Wait, thread = supervised.current) => {
    thread.watch.notification[0] = 9;
    thread.watch.enter(LISTENERS[0]!, []);
    thread.watch.block(wait);
  };
  const recording = () => newRecording(LISTENERS[0]!, supervised.current.watch.notification);
  /** Lets promises that were resolved continue. */
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    fakeTime("setTimeout", "clearTimeout");
    threads = [];
    events = [];
    becomesReady = true;
    killed.tid = 42;
    killed.calls = 0;
    state = new GateState(CONFIG);
    tally = new Tally();
    pool = new BlockingWorkerPool(
      (event) => {
        if (event.is === "overdue") supervised.kill(event.recording);
        else supervised.serve(event.recording, event.is === "failed" ? event.reason : null);
      },
      () => STALL,
      null,
    );
    supervised = new DecisionThreads({
      state,
      tally,
      pool,
      start,
      canStartStandby: () => true,
      onMessage: (_, message) => {
        if (message.is === "mapWrites") events.push(message);
      },
      report: (event) => events.push(event),
    });
  });
  afterEach(async () => {
    for (const thread of threads) thread.exit("the test has ended");
    await Promise.all([supervised.stop(), pool.stop()]);
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("is replaced when a task of one of several containers makes it wait", () => {
    listen("a", "b");
    const [first] = threads;
    block("memory");
    vi.advanceTimersByTime(100);
    expect(supervised.current).not.toBe(first);
    expect([first!.isHeld, supervised.current.watch]).toEqual([false, threads[1]!.watch]);
    expect(threads[1]!.isHeld).toBe(true);
    expect(threads[1]!.postedKinds).toEqual(["inherit", "setSlowContainers", "listen", "listen"]);
    expect(events).toEqual([{ is: "replaced", reason: "a task kept it waiting" }]);
    expect(tally.read()).toMatchObject({ slowTasks: 1, replacements: 1, stalls: 0 });
    expect(state.slowContainers.suspended(monotonic()).map(([key]) => key)).toEqual(["a"]);
    expect(first!.watch.unblock()).toBe(false);
  });

  it("leaves its operation to the pool, which kills the task after `gate.stall`", () => {
    listen("a", "b");
    block("memory");
    vi.advanceTimersByTime(100);
    expect(killed.calls).toBe(0);
    vi.advanceTimersByTime(STALL);
    expect(killed.calls).toBe(1);
    expect(tally.read()).toMatchObject({ stalls: 1 });
    expect(events.map(({ is }) => is)).toEqual(["replaced", "taskKilled"]);
  });

  it("is not replaced before a standby thread is ready, so the task is killed", () => {
    becomesReady = false;
    listen("a", "b");
    const [first] = threads;
    block("memory");
    vi.advanceTimersByTime(STALL + 30);
    expect(supervised.current).toBe(first);
    expect(killed.calls).toBe(1);
    expect(first!.postedKinds).toEqual(["setSlowContainers", "serve"]);
    expect(first!.posted.at(-1)).toMatchObject({
      reason: expect.stringMatching(/^stalled: task \d+ kept its memory from being read or written for 250 ms/),
    });
    threads[1]!.say({ is: "ready" });
    vi.advanceTimersByTime(30);
    expect(supervised.current).toBe(threads[1]);
    // the call was denied already, and its container was counted
    expect(threads[1]!.posted.at(-1)).toMatchObject({ do: "serve", reason: expect.stringContaining("stalled") });
    expect(tally.read()).toMatchObject({ slowTasks: 1, stalls: 1, replacements: 1 });
  });

  it("denies nothing if the task has left its call", () => {
    becomesReady = false;
    killed.tid = null;
    listen("a");
    block("memory");
    vi.advanceTimersByTime(10 * STALL);
    expect(killed.calls).toBe(1);
    expect(threads[0]!.posted).toEqual([]);
    expect(events).toEqual([]);
  });

  it("is terminated when a policy does not return, and another serves its call without that policy", async () => {
    listen("a");
    const [first] = threads;
    first!.watch.enter(LISTENERS[0]!, []);
    first!.decisions.ask(0, TIMEOUT);
    first!.sayLate({ is: "mapWrites", answers: [] });
    vi.advanceTimersByTime(TIMEOUT + 100);
    await settled();
    expect(first!.isTerminated).toBe(true);
    expect(supervised.current).toBe(threads[1]);
    expect(threads[1]!.postedKinds).toEqual(["inherit", "setSlowContainers", "listen", "serve"]);
    expect(threads[1]!.posted.at(-1)).toMatchObject({
      reason: null,
      recording: { overdue: [[0, { code: "OUT_OF_TIME" }]] },
    });
    expect(events).toEqual([
      { is: "mapWrites", answers: [] },
      { is: "replaced", reason: "a policy did not come back within 50 ms of its time" },
    ]);
  });

  it("counts what it had not sent to the shadow as missed if it is terminated", async () => {
    const [first] = threads;
    first!.watch.enter(LISTENERS[0]!, []);
    first!.watch.unsent = 2;
    first!.decisions.ask(0, TIMEOUT);
    vi.advanceTimersByTime(TIMEOUT + 100);
    await settled();
    expect(tally.read()).toMatchObject({ replacements: 1, shadowMissed: 2 });
  });

  it("does not hold against a policy that it returned before the thread had ended", async () => {
    const [first] = threads;
    first!.watch.enter(LISTENERS[0]!, []);
    first!.decisions.ask(0, TIMEOUT);
    vi.spyOn(first!, "end").mockImplementation(async () => {
      first!.decisions.answered();
      first!.decisions.ask(0, -1000); // the next policy is late, too: the thread got no processor
    });
    vi.advanceTimersByTime(TIMEOUT + 100);
    await settled();
    expect(threads[1]!.posted.at(-1)).toMatchObject({ do: "serve", reason: null, recording: { overdue: [] } });
    expect(state.handover.suspensions).toEqual(NO_SUSPENSIONS);
  });

  it("is terminated when an analysis does not return, and the load is denied", { tags: ["deep"] }, async () => {
    block("analysis");
    vi.advanceTimersByTime(ANALYSIS_TIMEOUT + 100);
    await settled();
    const reason = "the analysis of its program did not end within 30000 ms";
    expect(threads[1]!.posted.at(-1)).toMatchObject({ do: "serve", reason });
    expect(events).toEqual([{ is: "replaced", reason }]);
  });

  it("passes on requests and calls that were not answered", () => {
    listen("a", "b");
    const request = supervised.requests.send((requestId) => ({
      do: "reload",
      requestId,
      config: CONFIG,
      sealed: new Map(),
      shadow: null,
    }));
    request.catch(() => undefined);
    const other = newRecording(LISTENERS[1]!, new Uint8Array(80).fill(3));
    supervised.serve(other, null);
    block("path");
    vi.advanceTimersByTime(100);
    expect(threads[1]!.postedKinds).toEqual(["inherit", "setSlowContainers", "listen", "listen", "reload", "serve"]);
    expect(threads[1]!.posted.at(-1)).toMatchObject({ recording: other });
  });

  it("is not served the call again that made it wait: the pool has it", () => {
    listen("a", "b");
    block("file");
    supervised.serve(recording(), null);
    vi.advanceTimersByTime(100);
    expect(threads[1]!.postedKinds).not.toContain("serve");
    pool.onAbandonedOpDone({ ...recording(), notification: threads[0]!.watch.notification.slice() });
    expect(threads[1]!.posted.at(-1)).toMatchObject({ do: "serve", reason: null });
    expect([...state.calls.all].map((call) => recordingKey(call.recording))).toHaveLength(1);
  });

  it("is lost if it has to be replaced and no other starts", async () => {
    becomesReady = false;
    listen("a", "b");
    block("kernel");
    vi.advanceTimersByTime(20);
    threads[1]!.exit("no memory");
    await settled();
    vi.advanceTimersByTime(50);
    expect(events).toMatchObject([{ is: "lost", error: { code: "GATE_FAILED" } }]);
    const count = threads.length;
    vi.advanceTimersByTime(60_000);
    expect(threads).toHaveLength(count);
  });

  it("has no standby thread where there is none to be needed, and one where there are containers", () => {
    vi.advanceTimersByTime(1000);
    expect(threads).toHaveLength(1);
    listen("a");
    vi.advanceTimersByTime(1000);
    expect(threads).toHaveLength(2);
    supervised.dismissStandby();
    expect(threads[1]!.postedKinds).toEqual(["stop"]);
  });

  it("stops a standby thread that was not needed for 10 s", () => {
    threads[0]!.decisions.ask(0, 0);
    vi.advanceTimersByTime(20);
    threads[0]!.decisions.answered();
    expect(threads).toHaveLength(2);
    vi.advanceTimersByTime(9000);
    expect(threads[1]!.postedKinds).toEqual([]);
    vi.advanceTimersByTime(2000);
    expect(threads[1]!.postedKinds).toEqual(["stop"] satisfies ToThread["do"][]);
  });
});
