// @module-tag deep
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { factsOfObject } from "../../src/bpf/object.js";
import { factsOfLoad } from "../../src/bpf/prog-load.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { CountersignError } from "../../src/error.js";
import { GROWING_OBJECTS, OVERLAPPING_OBJECTS } from "../support/growing-objects.js";
import { GROWING_PROGRAMS, loadOf } from "../support/growing-programs.js";
import { growth, worked } from "../support/work.js";

/** By how much more each unit of an input of four times the size may cost: rounding, and tables that double. */
const MOST_GROWTH = 1.3;

describe("the analysis of a program", () => {
  it.each(Object.entries(GROWING_PROGRAMS))("of %s takes work in proportion to its length", (_, family) => {
    const blocksOf = (n: number) => {
      const insns = family(n).bytes();
      const { blocks } = worked(() => outcome(() => factsOfLoad(loadOf(insns))));
      return (blocks * n) / (insns.length / 8);
    };
    expect(growth(blocksOf, 10_000, 40_000)).toBeLessThan(MOST_GROWTH);
  });
});

describe("reading an object", () => {
  it.each(Object.entries(GROWING_OBJECTS))("with many %s takes work in proportion to its size", (_, family) => {
    const blocksOf = (n: number) => {
      const bytes = family(n);
      const { result, blocks } = worked(() =>
        outcome(() => factsOfObject(bytes, (program) => void programDetailsOf(program))),
      );
      expect(result).toBe("facts");
      return (blocks * n) / bytes.length;
    };
    expect(growth(blocksOf, 5000, 20_000)).toBeLessThan(MOST_GROWTH);
  });

  it.each(Object.entries(OVERLAPPING_OBJECTS))("rejects %s that overlap", (_, [family, message]) => {
    expect(() => factsOfObject(family(5000))).toThrow(message);
  });
});

function outcome(run: () => unknown): string {
  try {
    run();
    return "facts";
  } catch (error) {
    if (error instanceof CountersignError) return error.code;
    throw error;
  }
}
