import { describe, expect, it } from "vitest";
import type { Config } from "../../../src/config/config.js";
import { type Standing, Succession, suspended } from "../../../src/engine/succession.js";

const CONFIG = { maps: [], attachments: [{ limits: { wall: 50 } }, { limits: { wall: 70 } }] } as unknown as Config;
const codes = (standing: readonly Standing[]) => standing.map(([attachment, { code }]) => [attachment, code]);

describe("what a thread leaves to the next one", () => {
  it("has an attachment out of time in the decision over which its thread was ended, and in no other one", () => {
    const succession = new Succession(CONFIG);
    const overdue = succession.charge(1);
    expect(overdue[1].message).toContain("70 ms");
    expect(codes(succession.standing([overdue]))).toEqual([[1, "OUT_OF_TIME"]]);
    expect(succession.standing([])).toEqual([]);
  });

  it("has an attachment out for the present over which two threads were ended", () => {
    const succession = new Succession(CONFIG);
    succession.charge(0);
    const again = succession.charge(0);
    expect(codes(succession.standing([]))).toEqual([[0, "SUSPENDED"]]);
    expect(succession.standing([])[0]?.[1].message).toMatch(/2 times: not asked before 20/);
    expect(codes(succession.standing([again]))).toEqual([[0, "OUT_OF_TIME"]]);
    // whichever thread finds it out
    expect(codes(suspended(succession.offences)([]))).toEqual([[0, "SUSPENDED"]]);
    expect(suspended([])([])).toEqual([]);
  });
});
