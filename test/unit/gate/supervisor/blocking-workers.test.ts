import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BlockingWorker,
  BlockingWorkers,
  type WorkerEvent,
} from "../../../../src/gate/supervisor/blocking-workers.js";
import { serializeOp } from "../../../../src/gate/task/blocking/blocking-op.js";

const NONE: ReadonlySet<never> = new Set();

describe("blocking workers", () => {
  let workers: BlockingWorkers;
  let report: (event: WorkerEvent) => void;
  const next = () =>
    new Promise<WorkerEvent>((resolve) => {
      report = resolve;
    });

  beforeEach(() => {
    workers = new BlockingWorkers((event) => report(event), null);
  });
  afterEach(() => workers.stop(NONE));

  it("are started until there are four, without those that are blocked for long", () => {
    const busy = new Set<BlockingWorker>();
    for (let count = 1; count <= 4; count += 1) busy.add(workers.take(busy, 0)!);
    expect(busy.size).toBe(4);
    expect(workers.take(busy, 0)).toBeNull();
    const fifth = workers.take(busy, 1);
    expect(fifth).not.toBeNull();
    expect(busy.has(fifth!)).toBe(false);
  });

  it("run one operation after the other, and are interrupted without harm", async () => {
    const worker = workers.take(NONE, 0)!;
    for (let turn = 0; turn < 2; turn += 1) {
      const result = next();
      worker.post(serializeOp({ do: "file", fd: -1, limit: 1 }));
      expect(await result).toMatchObject({ is: "result", worker, result: { outcome: null } });
      workers.interrupt(worker);
      expect(workers.take(NONE, 0)).toBe(worker);
    }
  });

  it("are reported when they end by themselves, and not used again", async () => {
    const worker = workers.take(NONE, 0)!;
    await worker.ready();
    const ended = next();
    await worker.end();
    expect(await ended).toMatchObject({ is: "ended", worker });
    expect(workers.take(NONE, 0)).not.toBe(worker);
  });

  it("deliver a result to a caller that does not wait for messages", async () => {
    const worker = workers.take(NONE, 0)!;
    await worker.ready();
    const results: WorkerEvent[] = [];
    report = (event) => results.push(event);
    worker.post(serializeOp({ do: "file", fd: -1, limit: 1 }));
    const end = Date.now() + 60_000;
    while (results.length === 0 && Date.now() < end) workers.receive(worker);
    expect(results).toMatchObject([{ is: "result", worker }]);
  });

  it("are not reported when they are stopped", async () => {
    report = () => expect.unreachable();
    const worker = workers.take(NONE, 0)!;
    await worker.ready();
    await workers.stop(NONE);
    await worker.ended;
  });
});
