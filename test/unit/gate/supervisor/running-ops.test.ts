import { describe, expect, it } from "vitest";
import type { BlockingWorker } from "../../../../src/gate/supervisor/blocking-workers.js";
import { type RunningOp, RunningOps } from "../../../../src/gate/supervisor/running-ops.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";

const WORKER = {} as BlockingWorker;

describe("operations in progress", () => {
  const begin = (given: Partial<RunningOp> = {}) => {
    const ops = new RunningOps();
    const recording = newRecording(7, new Uint8Array(80));
    return {
      ops,
      op: ops.add({ recording, containerKey: "a", wait: "path", worker: null, state: "current", ...given }),
    };
  };

  it("keep their lane busy while they are current", () => {
    const { ops, op } = begin();
    expect([ops.isBusy("a"), ops.isBusy("a admitted"), ops.isBusy("b")]).toEqual([true, false, false]);
    op.state = "slow";
    expect(ops.isBusy("a")).toBe(false);
    expect([ops.has("slow", "a"), ops.has("slow", "b"), ops.has("lost", "a")]).toEqual([true, false, false]);
    expect([ops.count("slow"), ops.count("lost")]).toEqual([1, 0]);
  });

  it("keep their worker busy, and beyond the usual number if they are slow or lost", () => {
    const { ops, op } = begin({ worker: WORKER });
    expect(ops.busyWorkers.has(WORKER)).toBe(true);
    expect(ops.keptWorkers).toBe(0);
    op.state = "lost";
    expect(ops.keptWorkers).toBe(1);
  });

  it("of a replaced decision thread keep no worker", () => {
    expect(begin({ state: "lost" }).ops.keptWorkers).toBe(0);
  });

  it("are gone with their timer when they have ended", () => {
    const { ops, op } = begin();
    op.timer = setTimeout(() => expect.unreachable(), 0);
    expect(ops.includes(op)).toBe(true);
    ops.remove(op);
    expect([ops.includes(op), ops.isBusy("a")]).toEqual([false, false]);
  });

  it("have no deadline any more after a stop", async () => {
    const { ops, op } = begin();
    op.timer = setTimeout(() => expect.unreachable(), 0);
    ops.stop();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ops.includes(op)).toBe(true);
  });
});
