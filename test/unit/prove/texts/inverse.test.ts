import { describe, expect, it } from "vitest";
import { measureOf, stepOf, type TextMeasure, type TextStep } from "../../../../src/prove/shared/text-step.js";
import { Automaton } from "../../../../src/prove/texts/automaton.js";
import { measured, type Reached, type TextAutomaton, wholesOf } from "../../../../src/prove/texts/inverse.js";
import { parseExpression } from "../../../../src/prove/texts/regular-expression.js";
import { wordsOf } from "../../../../src/prove/texts/words.js";
import { numbers, seedOf } from "../../../support/damage.js";

const seed = seedOf();
const ROUNDS = Number(process.env.ROUNDS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 50_000 : 2_000));

const UNITS = [
  "a",
  "b",
  "A",
  "\u00df",
  "\u0130",
  "\u212a",
  "\u03a3",
  ".",
  " ",
  "\u00a0",
  "\ufeff",
  "\u180e",
  "\ud83d",
  "\ude00",
];

function accepts(automaton: TextAutomaton, text: string): boolean {
  let at: Reached = automaton.begin();
  for (let index = 0; index < text.length; index++) at = automaton.step(at, text.charCodeAt(index));
  return at.accepts;
}

type Next = (below: number) => number;
const pick = <T>(of: readonly T[], next: Next): T => of[next(of.length)]!;
const drawText = (next: Next, most = 8) => Array.from({ length: next(most) }, () => pick(UNITS, next)).join("");

function drawStep(next: Next): TextStep {
  const unit = pick(["a", "."], next);
  return pick<() => TextStep>(
    [
      () => ({ step: pick(["trim", "trimStart", "trimEnd"] as const, next) }),
      () => ({ step: pick(["toLowerCase", "toUpperCase"] as const, next) }),
      () => ({ step: "slice", from: next(4), to: next(2) === 0 ? null : next(6) }),
      () => ({ step: pick(["last", "without last"] as const, next), count: 1 + next(4) }),
      () => ({ step: pick(["before first", "after first", "before last", "after last"] as const, next), unit }),
    ],
    next,
  )();
}

function drawPart(next: Next): Automaton {
  const where = pick(["equals", "starts", "ends", "includes"] as const, next);
  if (next(3) > 0) return Automaton.ofText(drawText(next, 4), where);
  return Automaton.ofExpression(parseExpression(pick(["^a*$", "a.b", "^.?$", "\\s", "^$|b$"], next), "")!);
}

/** Null if there is no such automaton: {@link drawText} gives surrogates, which a case step does not tell apart. */
function wholesBy(steps: readonly TextStep[], part: TextAutomaton): TextAutomaton | null {
  try {
    return steps.reduceRight<TextAutomaton>((its, step) => wholesOf(step, its), part);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

describe(`the texts with a part that an automaton accepts (seed ${seed})`, () => {
  it("are those whose part it accepts", { tags: ["deep"] }, () => {
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const steps = Array.from({ length: 1 + next(2) }, () => drawStep(next));
      const part = drawPart(next);
      const wholes = wholesBy(steps, part);
      if (wholes === null) continue;
      for (let index = 0; index < 5; index++) {
        const text = drawText(next);
        const expected = part.matches(steps.reduce(stepOf, text));
        expect([steps, text, accepts(wholes, text)]).toEqual([steps, text, expected]);
      }
      for (const is of [true, false])
        for (const word of wordsOf([{ automaton: wholes, is }], 3) ?? [])
          expect([steps, word, part.matches(steps.reduce(stepOf, word))]).toEqual([steps, word, is]);
    }
  });

  it("take white space for what JavaScript does", { tags: ["deep"] }, () => {
    const empty = Automaton.ofText("", "equals");
    for (const step of ["trim", "trimStart", "trimEnd"] as const) {
      const wholes = wholesOf({ step }, empty);
      for (let unit = 0; unit <= 0xffff; unit++) {
        const text = String.fromCharCode(unit);
        if (accepts(wholes, text) !== (text.trim() === "")) expect.fail(`${step} of U+${unit.toString(16)}`);
      }
    }
  });

  it("have a length and places of units", () => {
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const its: TextMeasure =
        next(2) === 0
          ? { measure: "length" }
          : { measure: pick(["indexOf", "lastIndexOf", "count"] as const, next), unit: "a" };
      const [root, isBelow, text] = [next(6) - 1, next(2) === 0, drawText(next)];
      const isRight = (measure: number) => (isBelow ? measure <= root : measure === root);
      const automaton = measured(its, Math.max(root, 0) + 2, isRight);
      expect([its, root, text, accepts(automaton, text)]).toEqual([its, root, text, isRight(measureOf(text, its))]);
    }
  });
});
