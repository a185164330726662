import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Watch } from "../../../../../src/gate/task/blocking/watch.js";
import { monotonic } from "../../../../../src/monotonic.js";
import { fakeTime, passTime } from "../../../../support/passing-time.js";

/** A blocking operation of so many milliseconds. */
function blockFor(watch: Watch, milliseconds: number): void {
  watch.block("memory");
  passTime(milliseconds);
  watch.unblock();
}

const work = (milliseconds: number) => passTime(milliseconds);

/** Milliseconds that a task has made the gate wait, at a blocking operation that begins now. */
function waited(watch: Watch): number {
  watch.block("memory");
  return monotonic() - watch.look()!.since;
}

describe("the time for which a task has made the decision thread wait", () => {
  let watch: Watch;

  beforeEach(() => {
    fakeTime();
    watch = new Watch();
    watch.enter(7, []);
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it("is that of all consecutive blocking operations", () => {
    blockFor(watch, 100);
    blockFor(watch, 80);
    expect(waited(watch)).toBe(180);
    work(20);
    expect(monotonic() - watch.look()!.since).toBe(200);
  });

  it("does not grow by what the thread does between operations, which can be long for a large program", () => {
    blockFor(watch, 2);
    work(10_000);
    blockFor(watch, 3);
    work(10_000);
    expect(waited(watch)).toBe(5);
  });

  it("knows all the same when the first of them began, by which the watcher tells that it still waits", () => {
    const first = monotonic();
    blockFor(watch, 2);
    work(10);
    watch.block("file");
    expect(watch.look()).toMatchObject({ first, wait: "file", count: 2 });
  });

  it.each<[string, (watch: Watch) => void]>([
    [
      "a decision",
      (watch) => watch.decided({ verdict: 0, answered: true, delegated: false, freezes: false, outcome: null }),
    ],
    ["what was not the task's doing", (watch) => watch.forgetWait()],
    ["the next call", (watch) => watch.enter(7, [])],
  ])("begins anew after %s", (_, what) => {
    blockFor(watch, 100);
    what(watch);
    expect(waited(watch)).toBe(0);
  });

  it("does not depend on the clock of the system, which the task may be able to set", () => {
    watch.block("memory");
    passTime(100);
    for (const time of [0, 1e15]) vi.setSystemTime(time);
    watch.unblock();
    expect([waited(watch), watch.waited]).toEqual([100, 100]);
  });
});

describe("the call that the decision thread waits in", () => {
  it("is returned as a copy while the thread waits in it, and not if the thread serves another call by then", () => {
    const watch = new Watch();
    watch.notification[0] = 1;
    watch.enter(7, []);
    watch.block("memory");
    const blocked = watch.look()!;
    const call = watch.callOf(blocked)!;
    expect([call.listener, call.notification[0]]).toEqual([7, 1]);
    watch.unblock();
    expect(watch.callOf(blocked)).toBeNull();
    watch.leave();
    watch.notification[0] = 2;
    watch.enter(8, []);
    watch.block("memory");
    expect(watch.callOf(blocked)).toBeNull();
    expect(call.notification[0]).toBe(1);
  });
});
