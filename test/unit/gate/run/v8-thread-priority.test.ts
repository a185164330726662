import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { lowerV8ThreadPriority } from "../../../../src/gate/run/v8-thread-priority.js";
import { capabilities } from "../../../../src/sys/credentials.js";

const CAP_SYS_NICE = 23n;

describe("the priority of V8's threads", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
  });

  const mayRestore = () => ((capabilities().effective >> CAP_SYS_NICE) & 1n) === 1n;
  const others = () =>
    readdirSync("/proc/self/task")
      .map(Number)
      .filter((tid) => tid !== process.pid);
  const priorities = (threads: readonly number[]) => threads.map((tid) => getPriority(tid));

  it("stays as it is if it could not be restored", (context) => {
    if (mayRestore()) context.skip("needs a process without CAP_SYS_NICE");
    const threads = others();
    const before = priorities(threads);
    const restore = lowerV8ThreadPriority();
    expect(priorities(threads)).toEqual(before);
    restore();
    expect(priorities(threads)).toEqual(before);
  });

  it.for([
    ["after 300 ms", () => vi.advanceTimersByTime(300)],
    ["at once if it is told to", (restore: () => void) => restore()],
  ] as const)("is low while the command starts, and is restored %s", ([, end], context) => {
    if (!mayRestore()) context.skip("needs CAP_SYS_NICE");
    const threads = others();
    const main = getPriority(process.pid);
    const restore = lowerV8ThreadPriority();
    expect(new Set(priorities(threads))).toEqual(new Set([15]));
    expect(getPriority(process.pid)).toBe(main);
    end(restore);
    expect(new Set(priorities(threads))).toEqual(new Set([0]));
  });
});
