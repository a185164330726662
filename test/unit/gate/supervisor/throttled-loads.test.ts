import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ThrottledLoads } from "../../../../src/gate/supervisor/throttled-loads.js";
import { newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";

function recordingOf(id: number) {
  const notification = new Uint8Array(80);
  new DataView(notification.buffer).setUint32(0, id, true);
  return newRecording(7, notification);
}

describe("loads that wait for the release of programs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const begin = () => {
    const served: number[] = [];
    const gone = new Set<number>();
    let asked = 0;
    const idOf = (notification: Uint8Array) => new DataView(notification.buffer).getUint32(0, true);
    const loads = new ThrottledLoads(
      ({ notification }) => served.push(idOf(notification)),
      (_, notification) => {
        asked += 1;
        return !gone.has(idOf(notification));
      },
    );
    const wait = (id: number, pause = 100, containerKey = "a") => loads.wait(recordingOf(id), containerKey, pause);
    const leave = (id: number) => loads.leave(recordingKey(recordingOf(id)));
    return { served, gone, loads, wait, leave, asked: () => asked };
  };

  it("are served again after their pause, one of a container at a time, in order of arrival", () => {
    const { served, wait, leave } = begin();
    for (const id of [1, 2, 3]) wait(id);
    vi.advanceTimersByTime(99);
    expect(served).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(served).toEqual([1]);
    vi.advanceTimersByTime(10_000);
    expect(served).toEqual([1]);
    leave(1);
    leave(2);
    leave(3);
    expect(served).toEqual([1, 2, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("stay first if they must wait again", () => {
    const { served, wait, leave } = begin();
    wait(1);
    wait(2);
    vi.advanceTimersByTime(100);
    wait(3);
    wait(1, 50);
    vi.advanceTimersByTime(50);
    expect(served).toEqual([1, 1]);
    leave(1);
    leave(2);
    expect(served).toEqual([1, 1, 2, 3]);
  });

  it("do not wait for other containers", () => {
    const { served, wait } = begin();
    wait(1, 500, "a");
    wait(2, 100, "b");
    vi.advanceTimersByTime(100);
    expect(served).toEqual([2]);
    vi.advanceTimersByTime(400);
    expect(served).toEqual([2, 1]);
  });

  it("are not served if their tasks have exited", () => {
    const { served, gone, wait, leave } = begin();
    for (const id of [1, 2, 3, 4]) wait(id);
    for (const id of [1, 2, 4]) gone.add(id);
    vi.advanceTimersByTime(100);
    expect(served).toEqual([3]);
    leave(3);
    expect(served).toEqual([3]);
    wait(5);
    vi.advanceTimersByTime(100);
    expect(served).toEqual([3, 5]);
  });

  it("are forgotten if their tasks have exited, at a bounded cost for each that comes", () => {
    const { gone, wait, asked, served } = begin();
    for (let id = 1; id <= 10_000; id += 1) {
      wait(id, 60_000);
      gone.add(id);
    }
    expect(asked()).toBeLessThan(20_000);
    wait(20_000);
    const before = asked();
    vi.advanceTimersByTime(60_000);
    expect(served).toEqual([20_000]);
    expect(asked() - before).toBeLessThan(130);
  });

  it("ignore the end of other calls, and are not served after the gate's end", () => {
    const { served, loads, wait, leave } = begin();
    wait(1);
    leave(1);
    leave(9);
    expect(served).toEqual([]);
    loads.stop();
    vi.advanceTimersByTime(1000);
    expect(served).toEqual([]);
  });
});
