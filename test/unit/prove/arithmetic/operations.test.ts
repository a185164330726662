import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../../../src/prove/arithmetic/operations.js";
import { isSafe, type Range, rangeOfNumber } from "../../../../src/prove/arithmetic/range.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";

const seed = seedOf();
const ROUNDS = 4_000;

/** A range with a number in it. */
function around(value: number, next: (below: number) => number): Range {
  const { least, most, isInteger } = rangeOfNumber(value);
  const by = () => BigInt(next(3) === 0 ? 0 : Math.abs(Math.trunc(drawnNumber(next))));
  return { least: least - by(), most: most + by(), isInteger: isInteger && next(2) === 0 };
}

describe(`operations on numbers that are not known (seed ${seed})`, () => {
  it.each(Object.entries(OPERATIONS))(
    "%s: results are in the range, and are finite",
    { tags: ["deep"] },
    (_, { value, range, takes }) => {
      const next = numbers(seed);
      let known = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const [one, other] = [drawnNumber(next), drawnNumber(next)];
        const isConstant = takes === 2 && next(2) === 0;
        const found = range(
          { range: around(one, next), constant: null },
          isConstant
            ? { range: rangeOfNumber(other), constant: other }
            : { range: around(other, next), constant: null },
        );
        if (found === null) continue;
        known += 1;
        const result = value(one, other);
        const place = `round ${round}: ${one} and ${other} give ${result}`;
        expect(Number.isFinite(result), place).toBe(true);
        expect(BigInt(Math.floor(result)) >= found.least && BigInt(Math.ceil(result)) <= found.most, place).toBe(true);
        if (found.isInteger) expect(Number.isInteger(result), place).toBe(true);
        if (isSafe(found)) expect(Number.isSafeInteger(result), place).toBe(true);
      }
      expect(known).toBeGreaterThan(ROUNDS / 10);
    },
  );
});
