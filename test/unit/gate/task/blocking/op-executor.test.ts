import { beforeEach, describe, expect, it } from "vitest";
import type { Analyse } from "../../../../../src/gate/task/blocking/blocking-op.js";
import { newRecording } from "../../../../../src/gate/task/blocking/call-recording.js";
import { InlineExecutor, NeedsBlockingOp, ReplayExecutor } from "../../../../../src/gate/task/blocking/op-executor.js";
import { Watch } from "../../../../../src/gate/task/blocking/watch.js";
import { Impersonator } from "../../../../../src/sys/credentials.js";
import { GROWING_PROGRAMS, loadOf } from "../../../../support/growing-programs.js";

function opOf(insns: number, index = 0): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(GROWING_PROGRAMS["straight code"]!(insns).bytes());
  return { do: "analyse", index, analysis: { ...load, kernel: null, maps: new Map() } };
}

describe("executors of blocking operations", () => {
  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  });

  it("analyse a program while the watcher observes it, and leave long calls to another thread", () => {
    const watch = new Watch();
    watch.enter(7, []);
    const executor = new InlineExecutor(watch, new Impersonator());
    expect(executor.analyse(opOf(100))).toMatchObject({ facts: { insn_cnt: expect.any(Number) } });
    expect(executor.results).toEqual([]); // a later turn may find the load in its cache
    expect(watch.look()).toBeNull();
    expect(() => executor.admit()).toThrow(NeedsBlockingOp);
    expect(watch.unfinishedCall()).toMatchObject({ listener: 7 });
  });

  it("replay an analysis of another thread, by its place in the call", () => {
    const analysed = { failure: { code: "INSN_MALFORMED", message: "", place: undefined, remedy: undefined } };
    const recording = { ...newRecording(7, new Uint8Array(80)), analyses: new Map([[1, analysed]]) };
    const executor = new ReplayExecutor(recording);
    expect([0, 1].map((index) => executor.hasAnalysed(index))).toEqual([false, true]);
    expect(executor.analyse(opOf(20_000, 1))).toBe(analysed);
    expect(() => executor.analyse(opOf(100, 0))).toThrow(NeedsBlockingOp);
  });

  it("go on with a call once it is admitted", () => {
    const recording = newRecording(7, new Uint8Array(80));
    expect(() => new ReplayExecutor(recording).admit()).toThrow(NeedsBlockingOp);
    expect(() => new ReplayExecutor({ ...recording, admitted: true }).admit()).not.toThrow();
  });

  it("are seen to analyse by the watcher", () => {
    const watch = new Watch();
    watch.enter(7, []);
    watch.block("analysis");
    expect(watch.look()).toMatchObject({ wait: "analysis" });
    expect(watch.unblock()).toBe(true);
    watch.forgetWait();
    watch.block("memory");
    expect(watch.look()!.since).toBeGreaterThan(0);
  });
});
