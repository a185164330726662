import { describe, expect, it } from "vitest";
import { termValue } from "../../../../src/prove/arithmetic/exact-number.js";
import { evaluated, rangeOf, written } from "../../../../src/prove/arithmetic/expression.js";
import { OPERATIONS } from "../../../../src/prove/arithmetic/operations.js";
import type { Atom, Expression, LinearTerm, Origin, SymbolDomain } from "../../../../src/prove/shared/atom.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { Effort } from "../../../../src/prove/solver/effort.js";
import { findNumbers } from "../../../../src/prove/solver/numbers.js";
import { numbers, seedOf } from "../../../support/damage.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 20_000 : 1_500;
type Next = (below: number) => number;

const RANGES = { a: [0, 6], b: [-3, 4] } as const;
const only = (name: string): LinearTerm => ({ constant: "0", of: [["1", name]] });

function drawnExpression(next: Next): Expression {
  const names = Object.keys(OPERATIONS);
  for (;;) {
    const operation = names[next(names.length)]!;
    const leaf = (): Expression => (next(2) === 0 ? 1 + next(6) : only(next(2) === 0 ? "a" : "b"));
    const inner = next(3) === 0 ? { operation: ["+", "/", "*"][next(3)]!, of: [leaf(), 1 + next(4)] } : leaf();
    const expression = { operation, of: OPERATIONS[operation]!.takes === 1 ? [inner] : [inner, leaf()] };
    if (rangeOf(expression, rangeOfTerm) !== null) return expression;
  }
}

function rangeOfTerm({ of }: LinearTerm) {
  const [least, most] = RANGES[of[0]![1] as "a"];
  return { least: BigInt(least), most: BigInt(most), isInteger: true };
}

describe(`numbers and what is computed from them (seed ${seed})`, () => {
  it("are found only if JavaScript computes the same, and refuted only if there are none", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const counts = { unsatisfiable: 0, unknown: 0, found: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const expressions = Array.from({ length: 1 + next(2) }, () => drawnExpression(next));
      const origins = new Map(
        expressions.map((expression): [string, Origin] => [written(expression), { kind: "computed", expression }]),
      );
      const domains = new Map<string, SymbolDomain>(
        Object.entries(RANGES).map(([name, [least, most]]) => [
          name,
          { kind: "integer", least: String(least), most: String(most) },
        ]),
      );
      for (const expression of expressions) {
        const { least, most, isInteger } = rangeOf(expression, rangeOfTerm)!;
        const bounds = { least: String(least), most: String(most) };
        domains.set(written(expression), { kind: isInteger ? "integer" : "number", ...bounds });
      }
      const names = ["a", "b", ...origins.keys(), ...origins.keys()];
      const conditions = Array.from({ length: 1 + next(4) }, (): Condition => {
        const of = new Map(
          Array.from({ length: 1 + next(2) }, () => [names[next(names.length)]!, `${next(5) - 2 || 1}`]),
        );
        const term = { constant: String(next(15) - 7), of: [...of].map(([name, by]) => [by, name] as const) };
        const atom: Atom = { kind: "number", term, is: (["= 0", "< 0", "<= 0"] as const)[next(3)]! };
        return { atom, is: next(3) > 0 };
      });
      const isTrue = (values: (name: string) => number) =>
        conditions.every(({ atom, is }) => {
          const { term, is: relation } = atom as Extract<Atom, { kind: "number" }>;
          const numberOf = (name: string): number => {
            const origin = origins.get(name);
            return origin?.kind === "computed"
              ? evaluated(origin.expression, (one) => numberOf(one.of[0]![1]))
              : values(name);
          };
          const sum = termValue(term, numberOf);
          return (relation === "= 0" ? sum === 0n : relation === "< 0" ? sum < 0n : sum <= 0n) === is;
        });
      const found = findNumbers(conditions, (name) => domains.get(name), origins, new Effort());
      const place = `round ${round}: ${JSON.stringify(conditions)}`;
      if (typeof found !== "string") {
        counts.found += 1;
        expect(
          isTrue((name) => found.get(name) ?? 0),
          place,
        ).toBe(true);
        continue;
      }
      counts[found] += 1;
      if (found === "unknown") continue;
      for (let a: number = RANGES.a[0]; a <= RANGES.a[1]; a++)
        for (let b: number = RANGES.b[0]; b <= RANGES.b[1]; b++)
          if (isTrue((name) => (name === "a" ? a : b))) expect.fail(`${a}, ${b}: ${place}`);
    }
    expect(counts.found).toBeGreaterThan(ROUNDS / 4);
    expect(counts.unsatisfiable).toBeGreaterThan(ROUNDS / 20);
    expect(counts.unknown).toBeLessThan(ROUNDS / 4);
  });
});
