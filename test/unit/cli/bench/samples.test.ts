import { describe, expect, it } from "vitest";
import { Samples } from "../../../../src/cli/bench/samples.js";

function samplesOf(values: readonly number[]): Samples {
  const samples = new Samples();
  for (const value of values) samples.add(value);
  return samples;
}

describe("quantiles of samples", () => {
  it.each([
    [[], 0.5, 0],
    [[7], 0.99, 7],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2],
    [[10, 9, 100], 0.99, 100],
    [Array.from({ length: 200 }, (_, index) => 200 - index), 0.99, 198],
    [[0.5, 1e6, 3], 1, 1e6],
  ])("of %j: %d is %d", (values, part, expected) => {
    expect(samplesOf(values).quantile(part)).toBe(expected);
  });

  it("count what was added, before and after a quantile", () => {
    const samples = samplesOf([2, 1]);
    expect([samples.count, samples.quantile(1)]).toEqual([2, 2]);
    samples.add(9);
    expect([samples.count, samples.quantile(1)]).toEqual([3, 9]);
  });
});
