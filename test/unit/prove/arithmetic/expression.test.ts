import { describe, expect, it } from "vitest";
import { evaluated, rangeOf, termsIn, written } from "../../../../src/prove/arithmetic/expression.js";
import { OPERATIONS } from "../../../../src/prove/arithmetic/operations.js";
import { rangeOfNumber } from "../../../../src/prove/arithmetic/range.js";
import type { Expression } from "../../../../src/prove/shared/atom.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";

const seed = seedOf();
type Next = (below: number) => number;

function drawnExpression(next: Next, depth: number): Expression {
  if (depth === 0 || next(4) === 0)
    return next(3) === 0 ? drawnNumber(next) || 1 : { constant: "0", of: [["1", ["a", "b"][next(2)]!]] };
  const names = Object.keys(OPERATIONS);
  const operation = names[next(names.length)]!;
  const of = Array.from({ length: OPERATIONS[operation]!.takes }, () => drawnExpression(next, depth - 1));
  return { operation, of };
}

describe(`expressions (seed ${seed})`, () => {
  it("have the value that JavaScript gives to their text, in their range", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    let known = 0;
    for (let round = 0; round < 2_000; round++) {
      const expression = drawnExpression(next, 3);
      const values: Readonly<Record<string, number>> = { a: drawnNumber(next), b: drawnNumber(next) };
      const text = written(expression);
      const value = evaluated(expression, ({ of }) => values[of[0]![1]]!);
      const wanted = new Function("a", "b", `return ${text.replaceAll("--", "- -")}`)(values.a, values.b) as number;
      expect(value, text).toBe(wanted);
      const range = rangeOf(expression, ({ of }) => rangeOfNumber(values[of[0]![1]]!));
      if (range === null) continue;
      known += 1;
      expect(Number.isFinite(value), text).toBe(true);
      expect(BigInt(Math.floor(value)) >= range.least && BigInt(Math.ceil(value)) <= range.most, text).toBe(true);
    }
    expect(known).toBeGreaterThan(200);
  });

  it("are written with their terms", () => {
    const term = { constant: "3", of: [["2", "a"]] } as const;
    const expression: Expression = { operation: "Math.floor", of: [{ operation: "/", of: [term, 4] }] };
    expect(written(expression)).toBe("Math.floor(((2 * a + 3) / 4))");
    expect(termsIn(expression)).toEqual([term]);
    expect(written({ operation: "&", of: [{ constant: "0", of: [["1", "map.flags"]] }, 128] })).toBe(
      "(map.flags & 128)",
    );
  });
});
