import { describe, expect, it } from "vitest";
import { Admissions } from "../../../../src/gate/supervisor/admissions.js";
import { type CallRecording, newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";

function recordingOf(id: number): CallRecording {
  const notification = new Uint8Array(80);
  notification[0] = id;
  return newRecording(7, notification);
}

describe("admissions", () => {
  const begin = () => {
    const admitted: CallRecording[] = [];
    const admissions = new Admissions((recording) => admitted.push(recording));
    let last = 0;
    /** Calls of containers, with their ids in turn. */
    const wait = (...containerKeys: readonly string[]) => {
      for (const containerKey of containerKeys) admissions.wait(recordingOf(++last), containerKey);
    };
    const ids = () => admitted.map(({ notification }) => notification[0]);
    return { admitted, admissions, wait, ids, leave: (id: number) => admissions.leave(recordingKey(recordingOf(id))) };
  };

  it("admit one call of each container, and three in all", () => {
    const { admitted, wait, ids } = begin();
    wait("a", "a", "b", "c", "d");
    expect(ids()).toEqual([1, 3, 4]);
    expect(admitted.every((recording) => recording.admitted)).toBe(true);
  });

  it("admit the next when one is over, of the container that has waited longest", () => {
    const { wait, ids, leave } = begin();
    wait("a", "a", "a", "b", "c", "d");
    leave(1);
    expect(ids()).toEqual([1, 4, 5, 2]);
    leave(2);
    expect(ids()).toEqual([1, 4, 5, 2, 6]);
    leave(4);
    expect(ids()).toEqual([1, 4, 5, 2, 6, 3]);
  });

  it("ignore the end of calls that were not admitted, and a second end of the same call", () => {
    const { wait, ids, leave } = begin();
    wait("a", "a", "a");
    leave(9);
    leave(1);
    leave(1);
    expect(ids()).toEqual([1, 2]);
  });
});
