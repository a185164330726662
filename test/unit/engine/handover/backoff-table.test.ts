import { describe, expect, it } from "vitest";
import { BackoffTable } from "../../../../src/engine/handover/backoff-table.js";

const BACKOFF = { free: 1, first: 1000, longest: 10 * 60_000 };

describe("a backoff table", () => {
  it("only counts the first failures, and suspends twice as long each time", () => {
    const table = new BackoffTable<string>(BACKOFF);
    table.recordFailure("a", 0);
    expect(table.suspended(1)).toEqual([]);
    for (const suspended of [1000, 2000, 4000, 8000]) {
      table.recordFailure("a", 0);
      expect(table.suspended(suspended - 1).map(([who]) => who)).toEqual(["a"]);
      expect(table.until("a")).toBe(suspended);
      expect(table.suspended(suspended)).toEqual([]);
    }
    expect(table.until("b")).toBe(0);
  });

  it("suspends no longer than the policy's maximum", () => {
    const table = new BackoffTable<number>(BACKOFF);
    for (let i = 0; i < 40; i++) table.recordFailure(0, 0);
    expect(table.suspended(10 * 60_000 - 1)).toHaveLength(1);
    expect(table.suspended(10 * 60_000)).toEqual([]);
  });

  it("forgets keys that had no failure for long", () => {
    const table = new BackoffTable<number>(BACKOFF);
    for (let i = 0; i < 3; i++) table.recordFailure(0, 0);
    table.recordFailure(0, 2000 + 10 * 2000 + 1);
    expect(table.suspended(22_002)).toEqual([]);
    table.recordFailure(1, 1_000_000);
    expect(table.records.map(([who]) => who)).toEqual([1]);
  });

  it("go on in another thread", () => {
    const table = new BackoffTable<string>({ ...BACKOFF, free: 0 });
    table.recordFailure("a", 0);
    const other = new BackoffTable<string>(BACKOFF, table.records);
    expect(other.until("a")).toBe(1000);
  });
});
