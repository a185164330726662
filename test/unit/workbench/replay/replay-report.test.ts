import { describe, expect, it } from "vitest";
import type { Replayed } from "../../../../src/workbench/replay/replay.js";
import { ReplayReport } from "../../../../src/workbench/replay/replay-report.js";

/** A decision on a subject that was not made as before. */
function unlike(result: "different" | "unknown", name: string): Replayed {
  return { result, because: "verdict", again: null, line: { record: { subject: { name } } } } as unknown as Replayed;
}

describe("the groups of a replay", () => {
  it("count every decision, also those of more groups than are kept apart", () => {
    const report = new ReplayReport();
    for (let index = 0; index < 10_005; index += 1) report.add(unlike("different", `p${index}`));
    for (const name of ["p1", "q1", "q2"]) report.add(unlike(name === "p1" ? "different" : "unknown", name));
    const groups = report.groups();
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(10_008);
    expect(groups.slice(0, 3).map(({ result, subject, because, count }) => [result, subject, because, count])).toEqual([
      ["different", "(others)", "in other ways", 5],
      ["different", "p1", "verdict", 2],
      ["unknown", "(others)", "other inputs", 2],
    ]);
  });
});
