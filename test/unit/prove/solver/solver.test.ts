import { describe, expect, it } from "vitest";
import { OBSERVES } from "../../../../src/bpf/evidence/evidence-collector.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";
import { PROGRAM_CLAUSES } from "../../../../src/bpf/program-constraints.js";
import type { Atom, SymbolDomain } from "../../../../src/prove/shared/atom.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { type Answer, type Knowledge, solve } from "../../../../src/prove/solver/solver.js";
import { numbers, seedOf } from "../../../support/damage.js";

const TEXT = { kind: "text", names: null, hex: null } as const;
const seed = seedOf();

function knowledge(symbols: Readonly<Record<string, SymbolDomain>>, more: Partial<Knowledge> = {}): Knowledge {
  const none = { origins: new Map(), clauses: [], argument: "prog", namesOf: () => [] };
  return { symbols: new Map(Object.entries(symbols)), ...none, ...more };
}

const all = (...atoms: readonly (Atom | readonly [not: "not", Atom])[]): Condition[] =>
  atoms.map((one) => ("kind" in one ? { atom: one, is: true } : { atom: one[1], is: false }));
const number = (constant: number, of: readonly (readonly [number, string])[], is: "= 0" | "< 0" | "<= 0"): Atom => ({
  kind: "number",
  term: { constant: String(constant), of: of.map(([coefficient, name]) => [String(coefficient), name]) },
  is,
});
const small = { kind: "integer", least: "0", most: "5" } as const;

describe("the solver", () => {
  it("finds that a flag is not both", () => {
    const flag = { kind: "flag", of: "f" } as const;
    expect(solve(all(flag, ["not", flag]), knowledge({}))).toBe("unsatisfiable");
    expect(solve(all(flag), knowledge({}))).toMatchObject({ flags: new Map([["f", true]]) });
  });

  it("keeps to the constraints between facts", () => {
    const program = knowledge({ "prog.license": TEXT }, { clauses: PROGRAM_CLAUSES });
    const its = (name: string): Atom => ({ kind: "flag", of: `prog.effects.${name}` });
    const license = (text: string): Atom => ({ kind: "equals", of: "prog.license", text });
    const gpl: Atom = { kind: "flag", of: "prog.gpl_compatible" };
    expect(solve(all(its("read_only"), its("redirects")), program)).toBe("unsatisfiable");
    expect(solve(all(its("read_only"), its("decides")), program)).toMatchObject({});
    expect(solve(all(license("GPL"), ["not", gpl]), program)).toBe("unsatisfiable");
    expect(solve(all(license("Proprietary"), gpl), program)).toBe("unsatisfiable");
    expect(solve(all(license("Proprietary"), ["not", gpl]), program)).toMatchObject({});
    const changes = EFFECTS.filter((name) => !OBSERVES.has(name));
    const none = changes.map((name) => ["not", its(name)] as const);
    expect(solve(all(...none, ["not", its("read_only")]), program)).toBe("unsatisfiable");
    expect(solve(all(...none.slice(1), ["not", its("read_only")]), program)).toMatchObject({});
  });

  it("compares texts as sequences of UTF-16 code units", () => {
    const is = (text: string): Atom => ({ kind: "equals", of: "t", text });
    expect(
      solve(all(is("\ud83d\ude00"), { kind: "starts", of: "t", text: "\ud83d" }), knowledge({ t: TEXT })),
    ).toMatchObject({});
    expect(solve(all(is("a"), ["not", is("a")]), knowledge({ t: TEXT }))).toBe("unsatisfiable");
    expect(solve(all(is("a"), is("b")), knowledge({ t: TEXT }))).toBe("unsatisfiable");
    const hex = { kind: "text", names: null, hex: 2 } as const;
    expect(solve(all(is("xyz")), knowledge({ t: hex }))).toBe("unsatisfiable");
    expect(solve(all(["not", is("0000")]), knowledge({ t: hex }))).toMatchObject({ texts: new Map([["t", "0001"]]) });
  });

  it("knows that equal texts are equal to the same texts", () => {
    const same: Atom = { kind: "same", of: "a", other: "b" };
    const [a, b] = ["a", "b"].map((of): Atom => ({ kind: "equals", of, text: "x" })) as [Atom, Atom];
    const two = knowledge({ a: TEXT, b: TEXT });
    expect(solve(all(same, a, ["not", b]), two)).toBe("unsatisfiable");
    expect(solve(all(["not", same], a, b), two)).toBe("unsatisfiable");
    expect(solve(all(["not", same], a), two)).toMatchObject({});
  });

  it("refutes orders of several numbers", () => {
    const three = knowledge({ a: small, b: small, c: small });
    const below = (one: string, other: string) =>
      number(
        0,
        [
          [1, one],
          [-1, other],
        ],
        "< 0",
      );
    expect(solve(all(below("a", "b"), below("b", "c"), below("c", "a")), three)).toBe("unsatisfiable");
    expect(solve(all(below("a", "b"), below("b", "c")), three)).toMatchObject({});
  });

  it("lets a number of JSON be between integers, and an integer not", () => {
    const between = all(number(0, [[-1, "n"]], "< 0"), number(-1, [[1, "n"]], "< 0"));
    expect(solve(between, knowledge({ n: small }))).toBe("unsatisfiable");
    expect(solve(between, knowledge({ n: { kind: "json" } }))).toBe("unknown");
  });

  it("narrows the types of a JSON value", () => {
    const among = (...types: ("null" | "string" | "number")[]): Atom => ({ kind: "type", of: "j", among: types });
    expect(solve(all(among("null", "string"), ["not", among("null")]), knowledge({}))).toMatchObject({
      types: new Map([["j", "string"]]),
    });
    expect(solve(all(among("null"), among("number")), knowledge({}))).toBe("unsatisfiable");
  });

  it(`agrees with all possibilities for numbers (seed ${seed})`, { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const counts = { satisfied: 0, unsatisfiable: 0, unknown: 0 };
    for (let round = 0; round < 3_000; round++) {
      const conditions = Array.from({ length: 1 + next(5) }, (): Condition => {
        const of = ["a", "b", "c"].filter(() => next(2) === 0).map((name) => [next(7) - 3 || 1, name] as const);
        const is = (["= 0", "< 0", "<= 0"] as const)[next(3)]!;
        return { atom: number(next(13) - 6, of, is), is: next(2) === 0 };
      });
      const answer = solve(conditions, knowledge({ a: small, b: small, c: small }));
      const exists = possibilities().some((values) => conditions.every((one) => isTrue(one, values)));
      check(answer, exists, (model) => conditions.every((one) => isTrue(one, model.numbers)), counts, round);
    }
    expect(counts.unknown).toBeLessThan(100);
  });

  it(`agrees with many texts (seed ${seed})`, { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const counts = { satisfied: 0, unsatisfiable: 0, unknown: 0 };
    const pieces = ["", "a", "b", "ab", "ba", "aa"];
    const words = [
      "",
      ..."ab",
      ...[..."ab"].flatMap((one) => pieces.map((two) => one + two)),
      "abab",
      "aabb",
      "c",
      "d",
    ];
    for (let round = 0; round < 2_000; round++) {
      const conditions = Array.from({ length: 1 + next(5) }, (): Condition => {
        const [of, other] = [
          ["s", "t"],
          ["t", "s"],
        ][next(2)] as [string, string];
        const kind = (["equals", "starts", "ends", "includes"] as const)[next(4)]!;
        const text = pieces[next(pieces.length)]!;
        const atom: Atom = next(5) === 0 ? { kind: "same", of, other } : { kind, of, text };
        return { atom, is: next(2) === 0 };
      });
      const answer = solve(conditions, knowledge({ s: TEXT, t: TEXT }));
      const fits = (texts: ReadonlyMap<string, string>) => conditions.every((one) => textIsTrue(one, texts));
      const exists = words.some((s) =>
        words.some((t) =>
          fits(
            new Map([
              ["s", s],
              ["t", t],
            ]),
          ),
        ),
      );
      check(answer, exists, ({ texts }) => fits(new Map([["s", ""], ["t", ""], ...texts])), counts, round, false);
    }
    expect(counts.satisfied).toBeGreaterThan(200);
    expect(counts.unsatisfiable).toBeGreaterThan(200);
  });
});

type Counts = Record<"satisfied" | "unsatisfiable" | "unknown", number>;
type Found = Exclude<Answer, string>;

function check(
  answer: Answer,
  exists: boolean,
  fits: (model: Found) => boolean,
  counts: Counts,
  round: number,
  isComplete = true,
): void {
  counts[typeof answer === "string" ? answer : "satisfied"] += 1;
  const place = `seed ${seed}, round ${round}`;
  if (answer === "unsatisfiable") expect(exists, place).toBe(false);
  else if (answer !== "unknown") expect(fits(answer) && (exists || !isComplete), place).toBe(true);
}

function possibilities(): ReadonlyMap<string, number>[] {
  const values = [0, 1, 2, 3, 4, 5];
  return values.flatMap((a) =>
    values.flatMap((b) =>
      values.map(
        (c) =>
          new Map([
            ["a", a],
            ["b", b],
            ["c", c],
          ]),
      ),
    ),
  );
}

function isTrue({ atom, is }: Condition, values: ReadonlyMap<string, number>): boolean {
  if (atom.kind !== "number") throw new TypeError("no number");
  const { term } = atom;
  const value = term.of.reduce((sum, [c, name]) => sum + Number(c) * (values.get(name) ?? 0), Number(term.constant));
  return (atom.is === "= 0" ? value === 0 : atom.is === "< 0" ? value < 0 : value <= 0) === is;
}

function textIsTrue({ atom, is }: Condition, texts: ReadonlyMap<string, string>): boolean {
  if (!("of" in atom)) throw new TypeError("no text");
  const text = texts.get(atom.of)!;
  switch (atom.kind) {
    case "same":
      return (text === texts.get(atom.other)) === is;
    case "equals":
      return (text === atom.text) === is;
    case "starts":
      return text.startsWith(atom.text) === is;
    case "ends":
      return text.endsWith(atom.text) === is;
    case "includes":
      return text.includes(atom.text) === is;
    default:
      throw new TypeError("no text");
  }
}
