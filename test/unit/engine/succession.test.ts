import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.js";
import { type Standing, Succession, SuspensionList } from "../../../src/engine/succession.js";

const CONFIG = {
  maps: [],
  attachments: [{ limits: { timeout: 50 } }, { limits: { timeout: 70 } }],
} as unknown as Config;
const codes = (standing: readonly Standing[]) => standing.map(([attachment, { code }]) => [attachment, code]);

describe("what a thread leaves to the next one", () => {
  it("has an attachment out of time in the decision over which its thread was ended, and in no other one", () => {
    const succession = new Succession(CONFIG);
    const overdue = succession.charge({ attachment: 1, preparing: false });
    expect(overdue[1].message).toContain("70 ms");
    expect(codes(succession.standing([overdue]))).toEqual([[1, "OUT_OF_TIME"]]);
    expect(succession.standing([])).toEqual([]);
  });

  it("has an attachment out for the present over which two threads were ended", () => {
    const succession = new Succession(CONFIG);
    succession.charge({ attachment: 0, preparing: false });
    const again = succession.charge({ attachment: 0, preparing: false });
    expect(codes(succession.standing([]))).toEqual([[0, "SUSPENDED"]]);
    expect(succession.standing([])[0]?.[1].message).toMatch(/2 times: suspended until 20/);
    expect(codes(succession.standing([again]))).toEqual([[0, "OUT_OF_TIME"]]);
    // whichever thread finds it out
    expect(codes(new SuspensionList(succession.offences).standing([]))).toEqual([[0, "SUSPENDED"]]);
    expect(new SuspensionList().standing([])).toEqual([]);
  });

  it("has an attachment out of time that took too long to be prepared, with the time that this may take", () => {
    const succession = new Succession(CONFIG);
    const [, { code, message }] = succession.charge({ attachment: 1, preparing: true });
    expect(code).toBe("OUT_OF_TIME");
    expect(message).toBe("took longer than 5000 ms to be made ready and did not stop: its thread was ended");
  });

  it("suspends an attachment that cost its runtime or module twice, counted together with threads", () => {
    const succession = new Succession(CONFIG);
    succession.chargeHarm([]);
    succession.chargeHarm([1]);
    expect(succession.standing([])).toEqual([]);
    succession.charge({ attachment: 1, preparing: false });
    expect(codes(succession.standing([]))).toEqual([[1, "SUSPENDED"]]);
    expect(new SuspensionList(succession.offences).offenders).toEqual(new Set([1]));
  });
});
