import { describe, expect, it } from "vitest";
import type { Atom, SymbolDomain, TextPart } from "../../../../src/prove/shared/atom.js";
import { TEXT_RELATIONS } from "../../../../src/prove/shared/text-relation.js";
import { stepName, stepOf, type TextStep } from "../../../../src/prove/shared/text-step.js";
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

const STEPS: readonly TextStep[] = [
  { step: "trim" },
  { step: "slice", from: 1, to: 2 },
  { step: "last", count: 2 },
  { step: "without last", count: 1 },
  { step: "after last", unit: "." },
  { step: "before first", unit: "." },
];

/** Two texts with their parts and lengths, by name. */
function withParts(a: string, b: string): ReadonlyMap<string, string> {
  return new Map(
    [["a", a] as const, ["b", b] as const].flatMap(([name, text]) => [
      [name, text] as const,
      [`${name}.length`, String(text.length)] as const,
      ...STEPS.map((step) => [stepName(name, step), stepOf(text, step)] as const),
    ]),
  );
}

const LETTERS = ["", "a", " ", "."];
const WITH_SPACES = LETTERS.flatMap((one) => LETTERS.flatMap((two) => LETTERS.map((end) => one + two + end)));

type Next = (below: number) => number;

function randomPartCondition(next: Next): Condition {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const word = () => pick(["", "a", ".", " ", "a.", " a"]);
  const name = () => (next(3) === 0 ? pick(["a", "b"]) : stepName(pick(["a", "b"]), pick(STEPS)));
  const relation = pick(["equal", "starts", "ends", "includes"] as const);
  const length = {
    constant: String(-next(4)),
    of: [["1", "a.length"], ...(next(3) === 0 ? [["-1", "b.length"]] : [])],
  };
  const [of, other] = [name(), name()].sort() as [string, string];
  const atom = pick<() => Atom>([
    () => ({ kind: pick(["equals", "starts", "ends", "includes"] as const), of, text: word() }),
    () => (of === other ? { kind: "equals", of, text: word() } : { kind: "same", of, other }),
    () => ({ kind: "texts", relation, left: [{ text: of }, word()], right: [word(), { text: other }] }),
    () => ({ kind: "number", term: length as never, is: pick(["= 0", "< 0", "<= 0"] as const) }),
    () => ({ kind: "regex", of, text: pick(["^a", "\\s$", "^.$"]), flags: "" }),
  ])();
  return { atom, is: next(3) !== 0 };
}

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
  if (atom.kind === "same") return (texts.get(atom.of) === texts.get(atom.other)) === is;
  if (atom.kind === "regex") return new RegExp(atom.text, atom.flags).test(texts.get(atom.of)!) === is;
  if (atom.kind === "number") {
    const sum = atom.term.of.reduce(
      (at, [by, name]) => at + Number(by) * Number(texts.get(name)),
      Number(atom.term.constant),
    );
    return (atom.is === "= 0" ? sum === 0 : atom.is === "< 0" ? sum < 0 : sum <= 0) === is;
  }
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
  it("are refuted only if no short texts have them, and texts that are found have them", { tags: ["deep"] }, () => {
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

  it("and conditions on parts of texts, too", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    const symbols = new Map<string, SymbolDomain>(SYMBOLS);
    for (const of of ["a", "b"]) {
      symbols.set(`${of}.length`, { kind: "integer", least: "0", most: "4294967295" });
      for (const step of STEPS) symbols.set(stepName(of, step), { ...TEXT, step });
    }
    const counts = { found: 0, refuted: 0, unknown: 0 };
    for (let round = 0; round < ROUNDS; round++) {
      const conditions = Array.from({ length: 1 + next(3) }, () => randomPartCondition(next));
      const answer = solve(conditions, { ...KNOWLEDGE, symbols });
      if (typeof answer !== "string") {
        counts.found += 1;
        const texts = withParts(answer.texts.get("a") ?? "", answer.texts.get("b") ?? "");
        for (const one of conditions) expect([one, [...texts], holds(one, texts)]).toEqual([one, [...texts], true]);
        continue;
      }
      counts[answer === "unknown" ? "unknown" : "refuted"] += 1;
      for (const a of answer === "unknown" ? [] : WITH_SPACES)
        for (const b of WITH_SPACES) {
          const texts = withParts(a, b);
          if (conditions.every((one) => holds(one, texts))) expect.fail(JSON.stringify([conditions, a, b]));
        }
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
