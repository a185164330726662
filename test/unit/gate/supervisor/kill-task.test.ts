import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { killTask } from "../../../../src/gate/supervisor/kill-task.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";

const NO_LISTENER = -1;
/** Larger than the kernel's limit of process ids (PID_MAX_LIMIT). */
const EXITED = 0x7fff_ffff;

function recordingOf(tid: number) {
  const notification = new Uint8Array(80);
  new DataView(notification.buffer).setUint32(8, tid, true);
  return newRecording(NO_LISTENER, notification);
}

describe.skipIf(process.platform !== "linux")("the task of a call", () => {
  let child: ChildProcess;
  beforeAll(() => {
    child = spawn("sleep", ["600"], { stdio: "ignore" });
  });
  afterAll(() => child.kill("SIGKILL"));

  it("is not killed if its call is not pending any more", async () => {
    const recording = recordingOf(child.pid!);
    expect(killTask(recording, null)).toBeNull();
    expect(recording.current).toBeNull();
    expect(child.kill(0)).toBe(true);
  });

  it("is not killed if it has exited", () => {
    expect(killTask(recordingOf(EXITED), null)).toBeNull();
  });
});
