import { describe, expect, it } from "vitest";
import { doubleOf, scaled, termNumber, withoutExcess } from "../../../../src/prove/arithmetic/exact-number.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { drawnNumber } from "../../../support/drawn-numbers.js";

const seed = seedOf();

describe(`exact numbers (seed ${seed})`, () => {
  it("are multiples of 2^-1074, and back", () => {
    const next = numbers(seed);
    for (let round = 0; round < 5_000; round++) {
      const value = drawnNumber(next);
      expect(doubleOf(scaled(value))).toBe(value === 0 ? 0 : value);
    }
  });

  it("are none if a number is between two doubles, or too large", () => {
    expect(doubleOf(scaled(2 ** 53) + scaled(1))).toBeNull();
    expect(doubleOf(scaled(0.1) + 1n)).toBeNull();
    expect(doubleOf(2n * scaled(Number.MAX_VALUE))).toBeNull();
    expect(doubleOf(scaled(Number.MIN_VALUE))).toBe(Number.MIN_VALUE);
    expect(doubleOf(-3n)).toBe(-3 * Number.MIN_VALUE);
  });

  it("are shortened to a double", () => {
    expect(withoutExcess(scaled(2 ** 53) + scaled(1))).toBe(scaled(2 ** 53));
    expect(withoutExcess(-scaled(0.1) - 1n)).toBe(-scaled(0.1));
    expect(withoutExcess(5n)).toBe(5n);
  });

  it("are what a term is, of whatever sign", () => {
    const term = { constant: "-3", of: [["2", "a"]] } as const;
    expect(termNumber(term, () => 1)).toBe(-1);
    expect(termNumber({ constant: "0", of: [["1", "a"]] }, () => 0.1)).toBe(0.1);
  });
});
