import { describe, expect, it } from "vitest";
import { ACCUMULATOR, type Fold, foldedFurther, rangeOfFold } from "../../../../src/prove/arithmetic/fold.js";
import { OPERATIONS } from "../../../../src/prove/arithmetic/operations.js";
import { isSafe, type Range, rangeOfNumber } from "../../../../src/prove/arithmetic/range.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";

const seed = seedOf();
const ROUNDS = 4_000;
const SUMS = ["+", "-", "reverse +"] as const;
const EXTREMES = ["Math.max", "Math.min", "reverse Math.max"] as const;
const SMALL: Range = { least: 0n, most: 9n, isInteger: true };

function further(fold: Fold, operation: string, range: Range): Fold | null {
  const [one, other] = [
    { range: SMALL, fold },
    { range, fold: null },
  ];
  const isReverse = operation.startsWith("reverse ");
  const name = operation.replace("reverse ", "");
  return isReverse ? foldedFurther(name, other, one) : foldedFurther(name, one, other);
}

describe(`folds (seed ${seed})`, () => {
  it("have their values in the range", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    let known = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const initial = drawnNumber(next);
      const operations = next(2) === 0 ? SUMS : EXTREMES;
      const steps = Array.from({ length: 1 + next(3) }, () => {
        const values = Array.from({ length: 1 + next(5) }, () => drawnNumber(next));
        const ranges = values.map(rangeOfNumber);
        const sorted = ranges.flatMap(({ least, most }) => [least, most]).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const isInteger = ranges.every((one) => one.isInteger);
        return {
          operation: operations[next(3)]!,
          values,
          range: { least: sorted[0]!, most: sorted.at(-1)!, isInteger },
        };
      });
      let fold: Fold | null = ACCUMULATOR;
      for (const { operation, range } of steps) fold = fold && further(fold, operation, range);
      const range = rangeOfFold(fold!, initial);
      if (range === null) continue;
      known += 1;
      let value = initial;
      for (let element = next(20); element > 0; element--)
        for (const { operation, values } of steps) {
          const other = values[next(values.length)]!;
          value = OPERATIONS[operation.replace("reverse ", "")]!.value(value, other);
        }
      const place = `round ${round}: ${JSON.stringify([initial, steps], (_, one) => (typeof one === "bigint" ? String(one) : one))}`;
      expect(BigInt(Math.floor(value)) >= range.least && BigInt(Math.ceil(value)) <= range.most, place).toBe(true);
      if (range.isInteger) expect(Number.isInteger(value), place).toBe(true);
      if (isSafe(range)) expect(Number.isSafeInteger(value), place).toBe(true);
    }
    expect(known).toBeGreaterThan(ROUNDS / 4);
  });

  it("of numbers that are not negative are not less than the initial value", () => {
    expect(rangeOfFold(further(ACCUMULATOR, "+", SMALL)!, 7)).toEqual({
      ...{ least: 7n, most: 7n + 9n * (2n ** 32n - 1n), isInteger: true },
    });
    expect(rangeOfFold(further(ACCUMULATOR, "Math.max", SMALL)!, 7)).toEqual({ ...SMALL, least: 7n });
    expect(rangeOfFold(further(ACCUMULATOR, "-", SMALL)!, 0)!.least).toBe(-9n * (2n ** 32n - 1n));
  });

  it("may be infinite", () => {
    const large = { least: 0n, most: 2n ** 1000n, isInteger: false };
    expect(rangeOfFold(further(ACCUMULATOR, "+", large)!, 0)).toBeNull();
  });

  it.each(["*", "/", "%", "&", "Math.floor"])("are not known with %s", (operation) => {
    expect(further(ACCUMULATOR, operation, SMALL)).toBeNull();
  });

  it("are not known if the accumulator is subtracted, or a sum is compared", () => {
    expect(further(ACCUMULATOR, "reverse -", SMALL)).toBeNull();
    expect(further(further(ACCUMULATOR, "+", SMALL)!, "Math.max", SMALL)).toBeNull();
    expect(further(further(ACCUMULATOR, "Math.max", SMALL)!, "+", SMALL)).toBeNull();
  });
});
