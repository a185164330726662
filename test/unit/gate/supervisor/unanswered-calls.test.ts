import { closeSync, openSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { SkippedAttachment } from "../../../../src/engine/handover/suspension-list.js";
import { type TerminationResult, UnansweredCalls } from "../../../../src/gate/supervisor/unanswered-calls.js";
import { newRecording, recordingKey } from "../../../../src/gate/task/blocking/call-recording.js";
import { NOTIFICATION_SIZE } from "../../../../src/sys/seccomp.js";
import { isOpen } from "../../../support/open-fds.js";

const NOTIFICATION = new Uint8Array(NOTIFICATION_SIZE).fill(1);
const LISTENER = 7;
const LATE: SkippedAttachment = [2, { code: "OUT_OF_TIME", message: "took longer than its 50 ms", place: null }];
const VERDICTS = [{ verdict: 0, answered: true, delegated: false, freezes: false, outcome: null }];

describe("the call that a thread was serving when it was ended", () => {
  let calls: UnansweredCalls;
  beforeEach(() => {
    calls = new UnansweredCalls();
  });

  it.each<[string, TerminationResult, { readonly open: boolean; readonly overdue: readonly SkippedAttachment[] }]>([
    ["over a policy", { skipped: LATE, reason: null }, { open: false, overdue: [LATE] }],
    ["over an analysis", { skipped: null, reason: "unanalysed" }, { open: false, overdue: [] }],
    ["over neither", { skipped: null, reason: null }, { open: true, overdue: [] }],
  ])("is served again %s", (_, ended, { open, overdue }) => {
    const fd = openSync("/dev/null", "r");
    calls.inherit(NOTIFICATION, { listener: LISTENER, verdicts: VERDICTS, made: [fd] }, ended);
    const [call] = calls.all;
    expect(call).toMatchObject({
      reason: ended.reason,
      recording: { listener: LISTENER, notification: NOTIFICATION, verdicts: VERDICTS, overdue },
    });
    expect(isOpen(fd)).toBe(open);
    if (open) closeSync(fd);
  });

  it("keeps the results of earlier turns, and the reason for which it was denied", () => {
    const recording = newRecording(LISTENER, NOTIFICATION);
    recording.results.push({ outcome: 4, memory: [] });
    calls.add(recording, "stalled");
    const left = { listener: LISTENER, verdicts: VERDICTS, made: [] };
    calls.inherit(NOTIFICATION, left, { skipped: LATE, reason: null });
    expect([...calls.all]).toEqual([
      { recording: { ...recording, verdicts: VERDICTS, overdue: [LATE] }, reason: "stalled" },
    ]);
  });

  it("is gone when it has been answered", () => {
    calls.inherit(NOTIFICATION, { listener: LISTENER, verdicts: [], made: [] }, { skipped: null, reason: null });
    calls.remove(recordingKey({ listener: LISTENER, notification: NOTIFICATION }));
    expect([...calls.all]).toEqual([]);
  });
});
