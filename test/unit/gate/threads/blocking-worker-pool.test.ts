import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Analyse } from "../../../../src/gate/threads/blocking-op.js";
import { serializeOp } from "../../../../src/gate/threads/blocking-op.js";
import { BlockingWorkerPool } from "../../../../src/gate/threads/blocking-worker-pool.js";
import { type CallRecording, newRecording, recordingKey } from "../../../../src/gate/threads/call-recording.js";
import { GROWING_PROGRAMS, loadOf } from "../../../support/growing-programs.js";

function opOf(insns: number, index: number): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(GROWING_PROGRAMS["straight code"]!(insns).bytes());
  return { do: "analyse", index, analysis: { ...load, kernel: null, maps: new Map() } };
}

function recordingOf(id: number, admitted = false): CallRecording {
  const notification = new Uint8Array(80);
  notification[0] = id;
  return { ...newRecording(7, notification), admitted };
}

const idOf = ({ notification }: CallRecording) => notification[0];

describe("blocking workers", () => {
  let heard: [string, CallRecording][];
  let wake: () => void;
  let pool: BlockingWorkerPool;
  const come = async (count: number) => {
    while (heard.length < count)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
  };

  beforeEach(() => {
    heard = [];
    wake = () => {};
    const hear = (what: string) => (recording: CallRecording) => {
      heard.push([what, recording]);
      wake();
    };
    const events = { done: hear("done"), failed: hear("failed"), overdue: hear("overdue") };
    pool = new BlockingWorkerPool(events, () => 250, null);
  });
  afterEach(() => pool.stop());

  it("analyse long programs, and record the analyses apart from results of blocking operations", async () => {
    const first = opOf(20_000, 0);
    pool.send(recordingOf(1), serializeOp(first), "a");
    await come(1);
    const [what, recording] = heard[0]!;
    expect(what).toBe("done");
    expect(recording.results).toEqual([]);
    expect(recording.analyses.get(0)).toMatchObject({ facts: { insn_cnt: first.analysis.insns.length / 8 } });

    pool.send(recording, serializeOp(opOf(9000, 1)), "a");
    await come(2);
    expect([...heard[1]![1].analyses.keys()]).toEqual([0, 1]);
  });

  it("keep no other call of a suspect waiting for its admitted call", async () => {
    // so long that the other worker starts, on a busy machine too, before it is done
    pool.send(recordingOf(1, true), serializeOp(opOf(1_000_000, 0)), "a");
    pool.send(recordingOf(2, true), serializeOp(opOf(10, 0)), "a");
    pool.send(recordingOf(3), serializeOp(opOf(10, 0)), "a");
    await come(3);
    expect(heard.map(([, recording]) => idOf(recording))).toEqual([3, 1, 2]);
  });

  it("run a suspect's operations beside that of a replaced decision thread, and report both", async () => {
    pool.send(recordingOf(1, true), serializeOp(opOf(20_000, 0)), "a");
    pool.trackAbandonedOp(
      recordingOf(2),
      "a",
      { first: Date.now(), since: Date.now(), count: 1, wait: "kernel" },
      false,
    );
    await come(1);
    pool.onAbandonedOpDone(recordingOf(2));
    expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([
      ["done", 1],
      ["done", 2],
    ]);
  });

  it("end a task that makes them wait, but not because the machine stood still", () => {
    const STALL = 250;
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    try {
      const trackAbandonedOp = (id: number) =>
        pool.trackAbandonedOp(
          recordingOf(id),
          "a",
          { first: Date.now(), since: Date.now(), count: id, wait: "memory" },
          false,
        );
      trackAbandonedOp(1);
      vi.advanceTimersByTime(STALL - 1);
      expect(heard).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([["overdue", 1]]);
      pool.onAbandonedOpDone(recordingOf(1));

      heard = [];
      trackAbandonedOp(2);
      vi.setSystemTime(Date.now() + 10 * STALL);
      vi.advanceTimersToNextTimer();
      expect(heard).toEqual([]);
      pool.onAbandonedOpDone(recordingOf(2));
      expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([["done", 2]]);

      heard = [];
      trackAbandonedOp(3);
      vi.setSystemTime(Date.now() + 10 * STALL);
      vi.advanceTimersToNextTimer();
      vi.advanceTimersToNextTimer();
      expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([["overdue", 3]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("have no deadline for a call that the kernel takes long for", () => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: 1_000_000 });
    try {
      pool.trackAbandonedOp(
        recordingOf(1),
        "a",
        { first: Date.now(), since: Date.now(), count: 1, wait: "kernel" },
        false,
      );
      vi.advanceTimersByTime(600_000);
      expect(heard).toEqual([]);
      pool.onAbandonedOpDone(recordingOf(1));
      expect(heard.map(([what]) => what)).toEqual(["done"]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("admit a call before its first operation, and its suspect's next call after that was answered", () => {
    pool.send(recordingOf(1), null, "a");
    pool.send(recordingOf(2), null, "a");
    expect(heard.map(([, recording]) => [idOf(recording), recording.admitted])).toEqual([[1, true]]);
    pool.leave(recordingKey(recordingOf(1)));
    expect(heard.map(([, recording]) => idOf(recording))).toEqual([1, 2]);
  });
});
