import { describe, expect, it } from "vitest";
import { judged, printed } from "../../../bench/report.mjs";

describe("measured rows", () => {
  const { rows, missed } = judged([
    { name: "bare", p50: 2, p99: 10.25 },
    {
      name: "ours",
      p50: 3,
      p99: 120.4,
      note: "no log",
      asked: [
        { of: "bare", atMost: 1.2 },
        { of: "gone", atMost: 1 },
      ],
    },
    { name: "memory", figure: 44.2, unit: "MB", limit: 60 },
    { name: "tools", figure: 1.62, unit: "×", floor: 1.451 },
    { name: "start", figure: -0.5, unit: "ms", limit: -1 },
    { name: "peer", missing: "cannot be built" },
  ]);

  it("have their figures, what is asked of them, and whether it was met", () => {
    expect(rows).toEqual([
      { row: "bare", figure: "p50 2.00 µs, p99 10.3 µs", asked: "" },
      {
        row: "ours (no log)",
        figure: "p50 3.00 µs, p99 120 µs",
        asked: "1.500 of `bare`, at most 1.2: MISSED; `gone` was not measured",
      },
      { row: "memory", figure: "44.2 MB", asked: "at most 60 MB: met" },
      { row: "tools", figure: "1.62 ×", asked: "floor of node: 1.45 ×" },
      { row: "start", figure: "-0.50 ms", asked: "at most -1 ms: MISSED" },
      { row: "peer", figure: "not measured: cannot be built", asked: "" },
    ]);
  });

  it("are counted if they miss a limit, and not for a floor or a row that was not measured", () => {
    expect(missed).toBe(2);
  });

  it("are lines for a terminal", () => {
    expect(printed("Loads", rows.slice(2, 3))).toBe("Loads\n  memory: 44.2 MB; at most 60 MB: met\n");
  });
});
