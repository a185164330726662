import { expect, it } from "vitest";
import { stalled, unanalysed } from "../../../../src/gate/supervisor/denial-reasons.js";
import { newRecording } from "../../../../src/gate/task/blocking/call-recording.js";

it("a reason names the task, what it delayed, and for how long", () => {
  const notification = new Uint8Array(80);
  new DataView(notification.buffer).setUint32(8, 4711, true);
  expect(stalled(newRecording(7, notification), "path", 250)).toBe(
    "stalled: task 4711 kept a path from being looked up for 250 ms and was killed",
  );
  expect(unanalysed()).toBe("the analysis of its program did not end within 30000 ms");
});
