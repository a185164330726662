import type { SerializedOp } from "../task/blocking/blocking-op.js";
import type { CallRecording } from "../task/blocking/call-recording.js";

/** A blocking operation that waits for a worker. */
export interface QueuedOp {
  readonly recording: CallRecording;
  readonly serialized: SerializedOp;
  readonly containerKey: string;
}

/**
 * Operations of one lane run one after the other. A container's admitted call has a lane of its own, so that the
 * container's other calls do not wait for it.
 */
export function laneOf({ recording, containerKey }: Pick<QueuedOp, "recording" | "containerKey">): string {
  return recording.admitted ? `${containerKey} admitted` : containerKey;
}

/** Blocking operations that wait for a worker, by lane. Lanes take turns (round-robin). */
export class OpQueue {
  /** The operations of each lane in order of arrival. The lane that has waited longest is first. */
  readonly #lanes = new Map<string, QueuedOp[]>();

  push(op: QueuedOp): void {
    const lane = laneOf(op);
    const ops = this.#lanes.get(lane) ?? [];
    ops.push(op);
    this.#lanes.set(lane, ops);
  }

  /** The next operation whose lane is not busy. It stays in the queue. */
  next(isBusy: (lane: string) => boolean): QueuedOp | undefined {
    for (const [lane, [op]] of this.#lanes) if (!isBusy(lane)) return op;
    return undefined;
  }

  /** Removes an operation that was the {@link next} one, and moves its lane to the end. */
  remove(op: QueuedOp): void {
    const lane = laneOf(op);
    const later = (this.#lanes.get(lane) ?? []).filter((other) => other !== op);
    this.#lanes.delete(lane);
    if (later.length > 0) this.#lanes.set(lane, later);
  }

  clear(): void {
    this.#lanes.clear();
  }
}
