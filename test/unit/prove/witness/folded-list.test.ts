import { describe, expect, it } from "vitest";
import type { FactDomain } from "../../../../src/fact-type.js";
import { evaluated } from "../../../../src/prove/arithmetic/expression.js";
import { only } from "../../../../src/prove/guest/term.js";
import type { Expression, FoldedOrigin } from "../../../../src/prove/shared/atom.js";
import { foldedWays, reachFolded } from "../../../../src/prove/witness/folded-list.js";

const DOMAIN: FactDomain = {
  ...{ kind: "object", declared: "" },
  fields: { a: { kind: "count", most: 1000 }, b: { kind: "amount" } },
};
const ALL = only("l[*] all");
const [A, B] = [only("l[*].a"), only("l[*].b")];
const of = (operation: string, ...operands: Expression[]): Expression => ({ operation, of: operands });
const origin = (expression: Expression, initial = 0): FoldedOrigin => ({
  ...{ kind: "folded", list: "l", initial, accumulator: "l[*] all", cases: [{ where: [], expression }] },
});
type Element = Readonly<Record<string, number>>;

function foldedBy({ cases, initial }: FoldedOrigin, elements: readonly unknown[]): number {
  return (elements as readonly Element[]).reduce((all, one) => {
    const numberOf = (name: string) => (name === "l[*] all" ? all : one[name.slice("l[*].".length)]!);
    return evaluated(cases[0]!.expression, (term) => numberOf(term.of[0]![1]));
  }, initial);
}

/** The values of elements that all ways make of some. */
function reached(its: FoldedOrigin, wanted: number, elements: readonly Element[]): readonly (readonly unknown[])[] {
  const how = { folded: (all: readonly unknown[]) => foldedBy(its, all), more: () => ({ a: 0, b: 0 }) };
  return foldedWays([its]).map((way) => reachFolded(its, wanted, elements, DOMAIN, way, how));
}

describe("elements with which reduce has a value", () => {
  const sum = origin(of("+", of("+", ALL, A), of("*", 96, B)));

  it("are as they are if they have it", () => {
    expect(reached(sum, 0, [])[0]).toEqual([]);
    expect(reached(sum, 97, [{ a: 1, b: 1 }])[0]).toEqual([{ a: 1, b: 1 }]);
  });

  it("have it in a part of a new one, of the first or of the last", () => {
    const found = reached(sum, 297, [
      { a: 1, b: 1 },
      { a: 3, b: 1 },
    ]);
    expect(found).toContainEqual([
      { a: 1, b: 1 },
      { a: 3, b: 1 },
      { a: 101, b: 0 },
    ]);
    expect(found).toContainEqual([
      { a: 102, b: 1 },
      { a: 3, b: 1 },
    ]);
    expect(found).toContainEqual([
      { a: 1, b: 1 },
      { a: 104, b: 1 },
    ]);
  });

  it("have it in a part that can be large enough", () => {
    const found = reached(sum, 96_000, []);
    expect(found).toContainEqual([{ a: 0, b: 1000 }]);
    expect(found.flat()).not.toContainEqual({ a: 96_000, b: 0 });
  });

  it("have a product with 1", () => {
    expect(reached(origin(of("+", ALL, of("*", A, B))), 77, [])[0]).toEqual([{ a: 77, b: 1 }]);
  });

  it("are as many as are counted", () => {
    expect(reached(origin(of("+", ALL, 1), 2), 5, [])[0]).toHaveLength(3);
    expect(reached(origin(of("+", ALL, 1), 2), 5_000, [])[0]).toEqual([]);
  });

  it("have the extreme", () => {
    expect(reached(origin(of("Math.max", ALL, A), 5), 10, [])[0]).toEqual([{ a: 10, b: 0 }]);
  });

  it("are as they are if it is not found", () => {
    expect(reached(sum, 5, [{ a: 7, b: 0 }])[0]).toEqual([{ a: 7, b: 0 }]);
  });
});

it("there is one way that changes nothing without such a value", () => {
  expect(foldedWays([])).toHaveLength(1);
});
