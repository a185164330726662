import { describe, expect, it } from "vitest";
import { laneOf, OpQueue, type QueuedOp } from "../../../../src/gate/supervisor/op-queue.js";
import type { SerializedOp } from "../../../../src/gate/task/blocking/blocking-op.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";

const opOf = (containerKey: string, admitted = false): QueuedOp => ({
  recording: { ...newRecording(7, new Uint8Array(80)), admitted },
  serialized: {} as SerializedOp,
  containerKey,
});
const FREE = () => false;

describe("the queue of blocking operations", () => {
  it("lets lanes take turns, and keeps the order within each", () => {
    const queue = new OpQueue();
    const ops = [opOf("a"), opOf("a"), opOf("a"), opOf("b"), opOf("b")];
    for (const op of ops) queue.push(op);
    const order: number[] = [];
    for (let op = queue.next(FREE); op !== undefined; op = queue.next(FREE)) {
      order.push(ops.indexOf(op));
      queue.remove(op);
    }
    expect(order).toEqual([0, 3, 1, 4, 2]);
  });

  it("passes over busy lanes, which keep their place", () => {
    const queue = new OpQueue();
    const [a, b] = [opOf("a"), opOf("b")];
    queue.push(a);
    queue.push(b);
    expect(queue.next((lane) => lane === "a")).toBe(b);
    expect(queue.next(FREE)).toBe(a);
    expect(queue.next(() => true)).toBeUndefined();
  });

  it("gives an admitted call a lane of its own", () => {
    expect(laneOf(opOf("a", true))).not.toBe(laneOf(opOf("a")));
    expect(laneOf(opOf("a", true))).not.toBe(laneOf(opOf("b", true)));
  });

  it("can be cleared", () => {
    const queue = new OpQueue();
    queue.push(opOf("a"));
    queue.clear();
    expect(queue.next(FREE)).toBeUndefined();
  });
});
