import { describe, expect, it } from "vitest";
import type { Atom, SymbolDomain, TextPart } from "../../../../src/prove/shared/atom.js";
import { TEXT_RELATIONS } from "../../../../src/prove/shared/text-relation.js";
import type { Condition } from "../../../../src/prove/solver/condition.js";
import { type Knowledge, solve } from "../../../../src/prove/solver/solver.js";
import { numbers, seedOf } from "../../../support/damage.js";

const seed = seedOf();
const ROUNDS = Number(process.env.ROUNDS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 20_000 : 400));
const TEXT = { kind: "text", names: null, hex: null } as const;
const SMALL = { kind: "text", names: "Small", hex: null } as const;
const SYMBOLS = new Map<string, SymbolDomain>([
  ["a", TEXT],
  ["b", TEXT],
  ["s", SMALL],
]);
const NAMES = ["", "a", "ab", "unknown"];
const KNOWLEDGE: Knowledge = {
  ...{ symbols: SYMBOLS, origins: new Map(), clauses: [], argument: "prog" },
  namesOf: () => NAMES,
};

type Next = (below: number) => number;

function randomCondition(next: Next): Condition {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const word = () => pick(["", "a", "b", "ab", "ba", "aa"]);
  const part = (): TextPart => (next(2) === 0 ? word() : { text: pick(["a", "b", "s"]) });
  const parts = () => Array.from({ length: 1 + next(3) }, part);
  const relation = pick(["equal", "starts", "ends", "includes"] as const);
  const atom: Atom =
    next(4) === 0
      ? { kind: pick(["equals", "starts", "ends", "includes"] as const), of: pick(["a", "b", "s"]), text: word() }
      : { kind: "texts", relation, left: parts(), right: parts() };
  return { atom, is: next(3) !== 0 };
}

function holds({ atom, is }: Condition, texts: ReadonlyMap<string, string>): boolean {
  const textOf = (parts: readonly TextPart[]) =>
    parts.map((part) => (typeof part === "string" ? part : texts.get((part as { text: string }).text)!)).join("");
  if (atom.kind === "texts") return TEXT_RELATIONS[atom.relation](textOf(atom.left), textOf(atom.right)) === is;
  const { kind, of, text } = atom as Extract<Atom, { kind: "equals" | "starts" | "ends" | "includes" }>;
  return TEXT_RELATIONS[kind === "equals" ? "equal" : kind](texts.get(of)!, text) === is;
}

/** All texts of up to three letters. */
const ALL = ["", "a", "b"].flatMap((one) =>
  ["", "a", "b"].flatMap((two) => ["", "a", "b"].map((end) => one + two + end)),
);

function* assignments(): Generator<ReadonlyMap<string, string>> {
  for (const a of ALL)
    for (const b of ALL)
      for (const s of NAMES)
        yield new Map([
          ["a", a],
          ["b", b],
          ["s", s],
        ]);
}

describe(`relations of texts (seed ${seed})`, () => {
  it("are refuted only if no short texts have them, and texts that are found have them", () => {
    const next = numbers(seed);
    const counts = { found: 0, refuted: 0, unknown: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const conditions = Array.from({ length: 1 + next(3) }, () => randomCondition(next));
      const answer = solve(conditions, KNOWLEDGE);
      if (typeof answer !== "string") {
        counts.found += 1;
        const texts = new Map([...SYMBOLS.keys()].map((name) => [name, answer.texts.get(name) ?? ""] as const));
        for (const one of conditions) expect([one, [...texts], holds(one, texts)]).toEqual([one, [...texts], true]);
        continue;
      }
      counts[answer === "unknown" ? "unknown" : "refuted"] += 1;
      for (const texts of answer === "unknown" ? [] : assignments())
        if (conditions.every((one) => holds(one, texts))) expect.fail(JSON.stringify([conditions, [...texts]]));
    }
    expect(counts.found).toBeGreaterThan(ROUNDS / 3);
    expect(counts.refuted).toBeGreaterThan(0);
  });

  it("of numbers and values of maps are refuted only if nothing that was chosen matters", () => {
    const symbols = new Map<string, SymbolDomain>([
      ["a", TEXT],
      ["j", { kind: "json" }],
      ["n", { kind: "integer", least: "0", most: "9" }],
    ]);
    const its = (relation: "equal" | "starts", right: TextPart): Atom => ({
      ...{ kind: "texts", relation, left: [{ text: "a" }, "/"], right: ["x", right, "/"] },
    });
    for (const part of [{ json: "j" }, { number: { constant: "0", of: [["1", "n"]] } }] as const)
      for (const is of [true, false]) {
        const found = solve([{ atom: its("equal", part), is }], { ...KNOWLEDGE, symbols });
        expect(found).toMatchObject({ texts: expect.anything() });
        const none = [its("equal", part), { kind: "ends", of: "a", text: "z" } as const].map((atom) => ({
          atom,
          is: true,
        }));
        if (!is) expect(solve(none, { ...KNOWLEDGE, symbols })).not.toBe("unsatisfiable");
      }
  });
});
