import type { Wait } from "../task/blocking/blocking-op.js";
import type { CallRecording } from "../task/blocking/call-recording.js";
import type { BlockingWorker } from "./blocking-workers.js";
import { laneOf } from "./op-queue.js";

/** A blocking operation in progress. `worker` is null if a replaced decision thread runs it. */
export interface RunningOp {
  readonly recording: CallRecording;
  readonly containerKey: string;
  readonly wait: Wait;
  readonly worker: BlockingWorker | null;
  /**
   * `current`: the next operation of the same lane waits for this one. `slow`: the kernel takes long; the operation
   * will end, and no other operation waits for it. `lost`: it did not end after the task was killed; its result is
   * discarded.
   */
  state: "current" | "slow" | "lost";
  /** Why the call is denied when the operation ends; null while it has not exceeded its deadline. */
  denial: string | null;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The operations in progress: at most one `current` operation for each lane, in addition to the operations that
 * replaced decision threads still run.
 */
export class RunningOps {
  readonly #ops = new Set<RunningOp>();

  add(op: Pick<RunningOp, "recording" | "containerKey" | "wait" | "worker" | "state">): RunningOp {
    const running: RunningOp = { ...op, denial: null, timer: undefined };
    this.#ops.add(running);
    return running;
  }

  /** Removes an operation that has ended. */
  remove(op: RunningOp): void {
    clearTimeout(op.timer);
    this.#ops.delete(op);
  }

  includes(op: RunningOp): boolean {
    return this.#ops.has(op);
  }

  find(matches: (op: RunningOp) => boolean): RunningOp | undefined {
    return [...this.#ops].find(matches);
  }

  isBusy(lane: string): boolean {
    return this.find((op) => op.state === "current" && laneOf(op) === lane) !== undefined;
  }

  has(state: RunningOp["state"], containerKey: string): boolean {
    return this.find((op) => op.state === state && op.containerKey === containerKey) !== undefined;
  }

  count(state: RunningOp["state"]): number {
    return [...this.#ops].filter((op) => op.state === state).length;
  }

  /** The workers that run an operation. */
  get busyWorkers(): ReadonlySet<BlockingWorker | null> {
    return new Set(Array.from(this.#ops, ({ worker }) => worker));
  }

  /** The number of workers whose operation is `slow` or `lost`. */
  get keptWorkers(): number {
    return [...this.#ops].filter(({ state, worker }) => state !== "current" && worker !== null).length;
  }

  /** Stops all timers: no deadline is checked any more. */
  stop(): void {
    for (const { timer } of this.#ops) clearTimeout(timer);
  }
}
