import { describe, expect, it } from "vitest";
import { only } from "../../../../src/prove/guest/term.js";
import type { Atom, Origin, SymbolDomain } from "../../../../src/prove/shared/atom.js";
import { solve } from "../../../../src/prove/solver/solver.js";

const NAME = "l.reduce((sum, one) => (sum + one.n), 5)";
const folded = (initial: number): Origin => ({
  ...{ kind: "folded", list: "l", initial, accumulator: "l[*] accumulator" },
  cases: [{ where: [], expression: { operation: "+", of: [only("l[*] accumulator"), only("l[*].n")] } }],
});
const DOMAINS: readonly (readonly [string, SymbolDomain])[] = [
  ["l.length", { kind: "integer", least: "0", most: "9" }],
  [NAME, { kind: "integer", least: "5", most: "100" }],
  [`Math.floor((${NAME} / 2))`, { kind: "integer", least: "2", most: "50" }],
];
const half: Origin = {
  kind: "computed",
  expression: { operation: "Math.floor", of: [{ operation: "/", of: [only(NAME), 2] }] },
};
const equals = (of: string, value: number, is = true) => {
  const atom: Atom = { kind: "number", term: { constant: String(-value), of: [["1", of]] }, is: "= 0" };
  return { atom, is };
};
const isEmpty = { atom: { kind: "some", of: "l", where: [[]], first: null }, is: false } as const;

function answer(conditions: Parameters<typeof solve>[0], initial = 5) {
  const origins = new Map([
    [NAME, folded(initial)],
    [`Math.floor((${NAME} / 2))`, half],
  ]);
  const found = solve(conditions, {
    ...{ symbols: new Map(DOMAINS), origins, clauses: [], argument: "prog", namesOf: () => [] },
  });
  return typeof found === "string" ? found : "satisfiable";
}

describe("what reduce gives", () => {
  it("is the initial value if the list is empty", () => {
    expect(answer([isEmpty, equals(NAME, 7)])).toBe("unsatisfiable");
    expect(answer([isEmpty, equals(NAME, 5)])).toBe("satisfiable");
    expect(answer([equals("l.length", 0), equals(NAME, 5, false)])).toBe("unsatisfiable");
    expect(answer([isEmpty, equals(`Math.floor((${NAME} / 2))`, 3)])).toBe("unsatisfiable");
  });

  it("can be the initial value, or any other of its domain, if the list is not empty", () => {
    expect(answer([equals("l.length", 2), equals(NAME, 5)])).toBe("satisfiable");
    expect(answer([equals("l.length", 2), equals(NAME, 7)])).toBe("satisfiable");
    expect(answer([equals("l.length", 2), equals(NAME, 4)])).toBe("unsatisfiable");
  });

  it("is not compared with an initial value that is a fraction", () => {
    expect(answer([isEmpty, equals(NAME, 7)], 5.5)).toBe("satisfiable");
  });
});
