import { closeSync, openSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type BlockingOpEvent, BlockingWorkerPool } from "../../../../src/gate/supervisor/blocking-worker-pool.js";
import type { Analyse, Wait } from "../../../../src/gate/task/blocking/blocking-op.js";
import { serializeOp } from "../../../../src/gate/task/blocking/blocking-op.js";
import { type CallRecording, newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";
import { monotonic } from "../../../../src/monotonic.js";
import { GREEDIEST, programOf } from "../../../support/greedy-programs.js";
import { GROWING_PROGRAMS, loadOf } from "../../../support/growing-programs.js";
import { isOpen } from "../../../support/open-fds.js";
import { fakeTime, passTime } from "../../../support/passing-time.js";

function opOf(insns: number, index: number): Analyse {
  return analysisOf(GROWING_PROGRAMS["straight code"]!(insns).bytes(), index);
}

function analysisOf(insns: Uint8Array, index: number): Analyse {
  const { fds: _, kernel: __, ...load } = loadOf(insns);
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
    const onEvent = ({ is, recording }: BlockingOpEvent) => {
      heard.push([is, recording]);
      wake();
    };
    pool = new BlockingWorkerPool(onEvent, () => 250, null);
  });
  afterEach(() => pool.stop());

  it("analyse long programs, and record the analyses apart from results of blocking operations", {
    tags: ["deep"],
  }, async () => {
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

  it("keep no other call of a container waiting for its admitted call", { tags: ["deep"] }, async () => {
    // both workers have started, so that only the length of the operations counts
    for (const [id, container] of [
      [8, "x"],
      [9, "y"],
    ] as const)
      pool.send(recordingOf(id), serializeOp(opOf(20_000, 0)), container);
    await come(2);
    heard = [];
    pool.send(recordingOf(1, true), serializeOp(analysisOf(programOf(GREEDIEST, 999_990), 0)), "a");
    pool.send(recordingOf(2, true), serializeOp(opOf(10, 0)), "a");
    pool.send(recordingOf(3), serializeOp(opOf(10, 0)), "a");
    await come(3);
    expect(heard.map(([, recording]) => idOf(recording))).toEqual([3, 1, 2]);
  });

  it("run a container's operations beside that of a replaced decision thread, and report both", async () => {
    pool.send(recordingOf(1, true), serializeOp(opOf(20_000, 0)), "a");
    pool.trackAbandonedOp(
      recordingOf(2),
      "a",
      { first: monotonic(), since: monotonic(), count: 1, wait: "kernel" },
      false,
    );
    await come(1);
    pool.onAbandonedOpDone(recordingOf(2));
    expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([
      ["done", 1],
      ["done", 2],
    ]);
  });

  it("kill a task that makes them wait, and count no time for which the machine stood still", () => {
    const STALL = 250;
    fakeTime("setTimeout", "clearTimeout");
    try {
      const trackAbandonedOp = (id: number) =>
        pool.trackAbandonedOp(
          recordingOf(id),
          "a",
          { first: monotonic(), since: monotonic(), count: id, wait: "memory" },
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
      passTime(10 * STALL);
      vi.advanceTimersToNextTimer();
      expect(heard).toEqual([]);
      pool.onAbandonedOpDone(recordingOf(2));
      expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([["done", 2]]);

      heard = [];
      trackAbandonedOp(3);
      for (let times = 0; times < 20; times += 1) {
        passTime(10 * STALL);
        vi.advanceTimersToNextTimer();
      }
      expect(heard).toEqual([]);
      for (let times = 0; times < 5; times += 1) {
        passTime(10 * STALL);
        vi.advanceTimersToNextTimer();
      }
      expect(heard.map(([what, recording]) => [what, idOf(recording)])).toEqual([["overdue", 3]]);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("have no deadline for a call that the kernel takes long for", () => {
    fakeTime("setTimeout", "clearTimeout");
    try {
      pool.trackAbandonedOp(
        recordingOf(1),
        "a",
        { first: monotonic(), since: monotonic(), count: 1, wait: "kernel" },
        false,
      );
      vi.advanceTimersByTime(600_000);
      expect(heard).toEqual([]);
      pool.onAbandonedOpDone(recordingOf(1));
      expect(heard.map(([what]) => what)).toEqual(["done"]);
    } finally {
      vi.restoreAllMocks();
      vi.useRealTimers();
    }
  });

  it("admit a call before its first operation, and its container's next call after that was answered", () => {
    pool.send(recordingOf(1), null, "a");
    pool.send(recordingOf(2), null, "a");
    expect(heard.map(([, recording]) => [idOf(recording), recording.admitted])).toEqual([[1, true]]);
    pool.leave(recordingKey(recordingOf(1)));
    expect(heard.map(([, recording]) => idOf(recording))).toEqual([1, 2]);
  });
});

describe("the deadline of a blocking operation", () => {
  const STALL = 250;
  let events: BlockingOpEvent[];
  let pool: BlockingWorkerPool;
  const kinds = () => events.map(({ is }) => is);
  const reasons = () => events.flatMap((event) => (event.is === "failed" ? [event.reason] : []));
  /** A replaced decision thread still runs this operation. */
  const track = (id: number, wait: Wait, containerKey = "a", lost = false, recording = recordingOf(id)) => {
    pool.trackAbandonedOp(recording, containerKey, { first: monotonic(), since: monotonic(), count: id, wait }, lost);
    return recording;
  };
  const FILE = () => serializeOp({ do: "file", fd: -1, limit: 1 });

  beforeEach(() => {
    fakeTime("setTimeout", "clearTimeout");
    events = [];
    pool = new BlockingWorkerPool(
      (event) => events.push(event),
      () => STALL,
      null,
    );
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.useRealTimers();
    await pool.stop();
  });

  it("gets its call denied, also if the operation ends just after the kill", () => {
    const recording = track(1, "path");
    vi.advanceTimersByTime(STALL);
    expect(kinds()).toEqual(["overdue"]);
    pool.onAbandonedOpDone(recording);
    expect(kinds()).toEqual(["overdue", "failed"]);
    expect(reasons()).toEqual(["stalled: task 0 kept a path from being looked up for 250 ms and was killed"]);
  });

  it("gets its call denied 500 ms after the kill, and its fds closed whenever it ends", () => {
    const fd = openSync("/dev/null", "r");
    const recording = track(1, "path", "a", false, { ...recordingOf(1), fds: new Map([["file", fd]]) });
    vi.advanceTimersByTime(STALL + 499);
    expect(kinds()).toEqual(["overdue"]);
    vi.advanceTimersByTime(1);
    expect(kinds()).toEqual(["overdue", "failed"]);
    expect(isOpen(fd)).toBe(true);
    pool.onAbandonedOpDone(recording);
    expect(kinds()).toEqual(["overdue", "failed"]);
    expect(isOpen(fd)).toBe(false);
  });

  it("is given 500 ms after the kill in which the machine does not stand still", () => {
    track(1, "path");
    vi.advanceTimersByTime(STALL);
    for (let times = 0; times < 49; times += 1) {
      passTime(60_000);
      vi.advanceTimersToNextTimer();
    }
    expect(kinds()).toEqual(["overdue"]);
    passTime(60_000);
    vi.advanceTimersToNextTimer();
    expect(kinds()).toEqual(["overdue", "failed"]);
  });

  it("does not apply to an operation whose task was killed before, and whose call was denied", () => {
    track(1, "memory", "a", true);
    vi.advanceTimersByTime(60_000);
    expect(events).toEqual([]);
  });

  it("counts from the start of the operation", () => {
    pool.trackAbandonedOp(
      recordingOf(1),
      "a",
      { first: monotonic(), since: monotonic() - STALL + 10, count: 1, wait: "file" },
      false,
    );
    vi.advanceTimersByTime(9);
    expect(events).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(kinds()).toEqual(["overdue"]);
  });

  it("makes later files of the same container fail at once while one is lost", () => {
    const lost = track(1, "path", "a", true);
    pool.send(recordingOf(2), FILE(), "a");
    expect(reasons()).toEqual(["an earlier path or file of its like still keeps the gate waiting"]);
    pool.onAbandonedOpDone(lost);
    expect(kinds()).toEqual(["failed"]);
  });

  it("makes all files fail at once while eight are lost", () => {
    for (let id = 1; id <= 8; id += 1) track(id, "path", `container ${id}`, true);
    pool.send(recordingOf(9), FILE(), "a");
    expect(reasons()).toEqual(["too many paths and files of others keep the gate waiting"]);
  });

  it("makes no other operation of the container wait for the kernel for longer than 10 s", {
    tags: ["deep"],
  }, async () => {
    track(1, "kernel");
    pool.send(recordingOf(2), FILE(), "a");
    vi.advanceTimersByTime(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(events).toEqual([]);
    vi.advanceTimersByTime(200);
    await vi.waitUntil(() => events.length > 0, { timeout: 60_000 });
    expect(events).toMatchObject([{ is: "done", recording: { results: [{ outcome: null }] } }]);
  });

  it("is of no use to a call that nobody knows: its fds are closed", () => {
    const fd = openSync("/dev/null", "r");
    pool.onAbandonedOpDone({ ...recordingOf(1), fds: new Map([["file", fd]]) });
    expect(isOpen(fd)).toBe(false);
    expect(events).toEqual([]);
  });
});

describe("a blocking worker", () => {
  it("reads a file for a call", async () => {
    const fd = openSync("/proc/self/comm", "r");
    const event = await new Promise<BlockingOpEvent>((resolve) => {
      const pool = new BlockingWorkerPool(
        (event) => void pool.stop().then(() => resolve(event)),
        () => 60_000,
        null,
      );
      pool.send(recordingOf(1), serializeOp({ do: "file", fd, limit: 100 }), "a");
    });
    closeSync(fd);
    expect(event).toMatchObject({ is: "done", recording: { results: [{ memory: [] }] } });
    expect(Buffer.from(event.recording.results[0]!.outcome as Uint8Array).toString()).toMatch(/^\S.*\n$/);
  });
});
