import { describe, expect, it } from "vitest";
import type { Config } from "../../../../src/config/config.js";
import { type SkippedAttachment, SuspensionList } from "../../../../src/engine/handover/suspension-list.js";
import { ThreadHandoverState } from "../../../../src/engine/handover/thread-handover-state.js";

const CONFIG = {
  maps: [],
  attachments: [{ limits: { timeout: 50 } }, { limits: { timeout: 70 } }],
} as unknown as Config;
const codes = (skipped: readonly SkippedAttachment[]) => skipped.map(([attachment, { code }]) => [attachment, code]);

describe("what a thread leaves to the next one", () => {
  it("has an attachment out of time in the decision over which its thread was ended, and in no other one", () => {
    const handover = new ThreadHandoverState(CONFIG);
    const overdue = handover.recordFailure({ attachment: 1, preparing: false }, "a");
    expect(overdue[1].message).toContain("70 ms");
    expect(codes(handover.skipped([overdue], "a"))).toEqual([[1, "OUT_OF_TIME"]]);
    expect(handover.skipped([], "a")).toEqual([]);
  });

  it("has an attachment out for the present over which two threads were ended, for the caller that caused it", () => {
    const handover = new ThreadHandoverState(CONFIG);
    handover.recordFailure({ attachment: 0, preparing: false }, "a");
    const again = handover.recordFailure({ attachment: 0, preparing: false }, "a");
    expect(codes(handover.skipped([], "a"))).toEqual([[0, "SUSPENDED"]]);
    expect(handover.skipped([], "a")[0]?.[1].message).toMatch(/2 times: suspended for this caller until 20/);
    expect(codes(handover.skipped([again], "a"))).toEqual([[0, "OUT_OF_TIME"]]);
    expect(handover.skipped([], "b")).toEqual([]);
    // whichever thread finds it out
    expect(codes(new SuspensionList(handover.suspensions).skipped([], "a"))).toEqual([[0, "SUSPENDED"]]);
    expect(new SuspensionList(handover.suspensions).skipped([], "b")).toEqual([]);
    expect(new SuspensionList().skipped([], "a")).toEqual([]);
  });

  it("has an attachment out of time that took too long to be prepared, with the time that this may take", () => {
    const handover = new ThreadHandoverState(CONFIG);
    const [, { code, message }] = handover.recordFailure({ attachment: 1, preparing: true }, null);
    expect(code).toBe("OUT_OF_TIME");
    expect(message).toBe("took longer than 2000 ms to be made ready and did not stop: its thread was ended");
  });

  it("has an attachment out for everybody that could not be prepared twice, whoever asked then", () => {
    const handover = new ThreadHandoverState(CONFIG);
    for (const principal of [null, "a"]) handover.recordFailure({ attachment: 1, preparing: true }, principal);
    for (const principal of ["", "a", "b"]) expect(codes(handover.skipped([], principal))).toEqual([[1, "SUSPENDED"]]);
  });

  it("suspends an attachment that cost its runtime or module twice, counted together with threads", () => {
    const handover = new ThreadHandoverState(CONFIG);
    handover.recordFailures([], "a");
    handover.recordFailures([1], "a");
    expect(handover.skipped([], "a")).toEqual([]);
    handover.recordFailure({ attachment: 1, preparing: false }, "a");
    expect(codes(handover.skipped([], "a"))).toEqual([[1, "SUSPENDED"]]);
    expect(new SuspensionList(handover.suspensions).failing).toEqual(new Set([1]));
  });
});
