import { describe, expect, it } from "vitest";
import type { Atom, ElementCase, Origin, SymbolDomain } from "../../../../src/prove/shared/atom.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { namesIn, renamed } from "../../../../src/prove/solver/element-conditions.js";
import { solve } from "../../../../src/prove/solver/solver.js";
import { numbers, seedOf } from "../../../support/damage.js";

const seed = seedOf();
const TEXT = { kind: "text", names: null, hex: null } as const;
const SYMBOLS: ReadonlyMap<string, SymbolDomain> = new Map<string, SymbolDomain>([
  ["l[*].a", TEXT],
  ["l[*].n", { kind: "integer", least: "0", most: "2" }],
  ["l.length", { kind: "integer", least: "0", most: "3" }],
]);
const KNOWLEDGE = {
  ...{ symbols: SYMBOLS, origins: new Map<string, Origin>(), clauses: [], argument: "prog", namesOf: () => [] },
};
const some = (where: readonly ElementCase[]): Atom => ({ kind: "some", of: "l", where, first: null });
const text = (is: boolean, word: string): Condition => ({ atom: { kind: "equals", of: "l[*].a", text: word }, is });
const number = (is: boolean, constant: number, of = "l[*].n"): Condition => ({
  atom: { kind: "number", term: { constant: String(-constant), of: [["1", of]] }, is: "= 0" },
  is,
});

const ELEMENTS = ["x", "y", "z"].flatMap((a) => [0, 1, 2].map((n) => ({ a, n })));
type Element = (typeof ELEMENTS)[number];

function isIn(one: ElementCase, element: Element): boolean {
  return one.every(({ atom, is }) => {
    if (atom.kind === "equals") return (element.a === atom.text) === is;
    return atom.kind === "number" && (element.n === -Number(atom.term.constant)) === is;
  });
}

function satisfies(list: readonly Element[], { atom, is }: Condition): boolean {
  if (atom.kind === "some") return list.some((one) => atom.where.some((its) => isIn(its, one))) === is;
  return atom.kind === "number" && (list.length === -Number(atom.term.constant)) === is;
}

describe(`conditions on lists (seed ${seed})`, () => {
  it("are satisfiable if any list of up to 3 elements satisfies them", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const lists: (readonly Element[])[] = [[]];
    for (const one of ELEMENTS) {
      lists.push([one]);
      for (const two of ELEMENTS) {
        lists.push([one, two]);
        for (const three of ELEMENTS) lists.push([one, two, three]);
      }
    }
    const counts = { unsatisfiable: 0, satisfiable: 0, "neither was found": 0 };
    for (let round = 0; round < 400; round++) {
      const conditions = Array.from({ length: 1 + next(4) }, (): Condition => {
        if (next(4) === 0) return number(next(2) === 0, next(4), "l.length");
        const literal = () => (next(2) === 0 ? text(next(2) === 0, "xyz"[next(3)]!) : number(next(2) === 0, next(3)));
        const where = Array.from({ length: 1 + next(2) }, () => Array.from({ length: next(3) }, literal));
        return { atom: some(where), is: next(2) === 0 };
      });
      const answer = solve(conditions, KNOWLEDGE);
      const isPossible = lists.some((list) => conditions.every((one) => satisfies(list, one)));
      const place = `${JSON.stringify(conditions)} (round ${round}, seed ${seed})`;
      if (isPossible) expect(answer, place).not.toBe("unsatisfiable");
      counts[answer === "unsatisfiable" ? answer : isPossible ? "satisfiable" : "neither was found"] += 1;
    }
    expect(counts.unsatisfiable).toBeGreaterThan(20);
    expect(counts["neither was found"]).toBeLessThan(60);
  });

  it("are joined with those on the first element, and on the first in some cases", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const lists = [...ELEMENTS.map((one) => [one]), ...ELEMENTS.flatMap((one) => ELEMENTS.map((two) => [one, two]))];
    const counts = { unsatisfiable: 0, satisfiable: 0, "neither was found": 0 };
    const named = (name: string, where: readonly ElementCase[]): Condition => ({
      atom: { kind: "some", of: "l", where, first: name },
      is: true,
    });
    for (let round = 0; round < 300; round++) {
      const literal = () => (next(2) === 0 ? text(next(2) === 0, "xyz"[next(3)]!) : number(next(2) === 0, next(3)));
      const where = [[literal()], ...(next(2) === 0 ? [[literal(), literal()]] : [])];
      const [onFirst, onOther] = [literal(), literal()];
      const none: Condition = { atom: some([[literal()]]), is: false };
      const conditions = [
        named("l[first]", [[]]),
        renamed(onFirst, "l[*]", "l[first]"),
        named("l[first 2]", where),
        renamed(onOther, "l[*]", "l[first 2]"),
        ...(next(2) === 0 ? [none] : []),
      ];
      const answer = solve(conditions, KNOWLEDGE);
      const isPossible = lists.some((list) => {
        const other = list.find((element) => where.some((one) => isIn(one, element)));
        if (other === undefined || !isIn([onFirst], list[0]!) || !isIn([onOther], other)) return false;
        return conditions.length === 4 || satisfies(list, none);
      });
      const place = `${JSON.stringify(conditions)} (round ${round}, seed ${seed})`;
      if (isPossible) expect(answer, place).not.toBe("unsatisfiable");
      counts[answer === "unsatisfiable" ? answer : isPossible ? "satisfiable" : "neither was found"] += 1;
    }
    expect(counts.unsatisfiable).toBeGreaterThan(20);
    expect(counts.satisfiable).toBeGreaterThan(20);
    expect(counts["neither was found"]).toBeLessThan(10);
  });

  it("know that a verification gives 0 only if there is a statement, which is one of the program's", () => {
    const VERIFIED = 'verify_program("k")';
    const FOUND = 'statement_of("k")';
    const knowledge = {
      ...KNOWLEDGE,
      symbols: new Map<string, SymbolDomain>([
        [VERIFIED, { kind: "integer", least: "-4095", most: "0" }],
        [`${FOUND}.name`, TEXT],
        ["prog.statements[*].name", TEXT],
      ]),
      origins: new Map<string, Origin>([
        [VERIFIED, { kind: "verify_program", keyring: "k" }],
        [FOUND, { kind: "statement_of", keyring: "k" }],
      ]),
    };
    const of = "prog.statements";
    const isNamed = (name: string): ElementCase => [
      { atom: { kind: "equals", of: `${of}[*].name`, text: name }, is: true },
    ];
    const none = (one: ElementCase): Condition => ({
      atom: { kind: "some", of, where: [one], first: null },
      is: false,
    });
    const found: Condition = { atom: { kind: "equals", of: `${FOUND}.name`, text: "a" }, is: true };
    const is = (verdict: number) => number(true, verdict, VERIFIED);
    expect(solve([none([]), is(0)], knowledge)).toBe("unsatisfiable");
    expect(solve([none(isNamed("a")), is(0), found], knowledge)).toBe("unsatisfiable");
    for (const conditions of [
      [none([]), is(-61)],
      [none(isNamed("a")), is(0)],
      [none(isNamed("b")), is(0), found],
    ])
      expect(solve(conditions, knowledge)).toMatchObject({ texts: expect.anything() });
  });

  it("can be alternatives", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const counts = { unsatisfiable: 0, satisfiable: 0, "neither was found": 0 };
    const flag = (): Condition => ({ atom: { kind: "flag", of: "pqr"[next(3)]! }, is: next(2) === 0 });
    const literal = (): Condition => {
      if (next(2) === 0) return flag();
      return { atom: some([[text(true, "xy"[next(2)]!)]]), is: next(2) === 0 };
    };
    const lists = [[], ...["x", "y", "z"].map((a) => [{ a, n: 0 }]), [0, 1].map((n) => ({ a: "xy"[n]!, n }))];
    const worlds = Array.from({ length: 8 * lists.length }, (_, index) => ({
      flags: { p: (index & 1) !== 0, q: (index & 2) !== 0, r: (index & 4) !== 0 } as Readonly<Record<string, boolean>>,
      list: lists[index >> 3]!,
    }));
    const holds = ({ atom, is }: Condition, world: (typeof worlds)[number]): boolean => {
      if (atom.kind === "flag") return world.flags[atom.of] === is;
      if (atom.kind === "any") return atom.where.some((one) => one.every((its) => holds(its, world))) === is;
      return satisfies(world.list, { atom, is });
    };
    for (let round = 0; round < 400; round++) {
      const where = () => Array.from({ length: 1 + next(3) }, () => Array.from({ length: 1 + next(2) }, literal));
      const conditions = Array.from({ length: 1 + next(3) }, (): Condition => {
        if (next(3) === 0) return literal();
        return { atom: { kind: "any", where: where() }, is: next(2) === 0 };
      });
      const answer = solve(conditions, KNOWLEDGE);
      const isPossible = worlds.some((world) => conditions.every((one) => holds(one, world)));
      const place = `${JSON.stringify(conditions)} (round ${round}, seed ${seed})`;
      if (isPossible) expect(answer, place).not.toBe("unsatisfiable");
      counts[answer === "unsatisfiable" ? answer : isPossible ? "satisfiable" : "neither was found"] += 1;
    }
    expect(counts.unsatisfiable).toBeGreaterThan(20);
    expect(counts["neither was found"]).toBe(0);
  });

  it("name an element by its own name", () => {
    const inner = some([[text(true, "x")]]);
    expect(renamed({ atom: inner, is: true }, "l[*]", "l[first]").atom).toMatchObject({
      where: [[{ atom: { of: "l[first].a" } }]],
    });
    expect(namesIn(inner)).toEqual(["l", "l[*].a"]);
    expect(namesIn({ kind: "same", of: "a", other: "b" })).toEqual(["a", "b"]);
  });
});
