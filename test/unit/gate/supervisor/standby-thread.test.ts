import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { StandbyThread } from "../../../../src/gate/supervisor/standby-thread.js";
import { monotonic } from "../../../../src/monotonic.js";
import { FakeDecisionThread } from "../../../support/fake-decision-thread.js";
import { fakeTime, passTime } from "../../../support/passing-time.js";

describe("a standby thread", () => {
  let threads: FakeDecisionThread[];
  let standby: StandbyThread;
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  beforeEach(() => {
    fakeTime();
    threads = [];
    standby = new StandbyThread(() => {
      const thread = new FakeDecisionThread(() => undefined);
      threads.push(thread);
      return thread;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("is started once, when it may be needed", () => {
    expect(standby.snapshot).toEqual({ state: "none", neededAt: 0 });
    standby.ensureStarted();
    const start = monotonic();
    passTime(5);
    standby.ensureStarted();
    expect(threads).toHaveLength(1);
    expect(standby.snapshot).toEqual({ state: "starting", neededAt: start + 5 });
    threads[0]!.say({ is: "ready" });
    expect(standby.snapshot.state).toBe("ready");
  });

  it("is no standby thread any more when it was taken", () => {
    standby.ensureStarted();
    expect(standby.take()).toBe(threads[0]);
    expect(standby.snapshot.state).toBe("none");
    expect(standby.take()).toBe(threads[1]);
  });

  it("is stopped when it was dismissed, and another can be started", () => {
    standby.ensureStarted();
    standby.dismiss();
    expect(threads[0]!.postedKinds).toEqual(["stop"]);
    expect(standby.snapshot.state).toBe("none");
    standby.ensureStarted();
    expect(threads).toHaveLength(2);
  });

  it("that could not start is tried again only after 10 s", async () => {
    standby.ensureStarted();
    threads[0]!.exit("no memory");
    await settled();
    expect([standby.snapshot.state, standby.failure]).toEqual(["failed", "no memory"]);
    passTime(10_000);
    standby.ensureStarted();
    expect([standby.snapshot.state, threads.length]).toEqual(["failed", 1]);
    passTime(1);
    expect(standby.snapshot.state).toBe("none");
    standby.ensureStarted();
    expect([standby.snapshot.state, standby.failure, threads.length]).toEqual(["starting", null, 2]);
  });

  it("that ended after it was ready is started again when it is needed", async () => {
    standby.ensureStarted();
    threads[0]!.say({ is: "ready" });
    threads[0]!.exit("ended");
    await settled();
    expect([standby.snapshot.state, standby.failure]).toEqual(["none", null]);
    standby.ensureStarted();
    expect(threads).toHaveLength(2);
  });
});
