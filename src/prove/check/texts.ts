import { hasUnknown } from "../shared/atom.js";
import type { TextMeasure, TextStep } from "../shared/text-step.js";
import { measured, partOfText, stringParts } from "./facts.js";
import { notEvaluated, type Path } from "./path.js";
import { constant, numberOf, plus, Split, type Sym, TEXT_TESTS, unknownOf } from "./value.js";

const TESTS = { startsWith: "starts", endsWith: "ends", includes: "includes" } as const;
const STEPS = ["trim", "trimStart", "trimEnd", "toLowerCase", "toUpperCase"] as const;
/** The most parts of a text that are told apart. */
const MOST_PARTS = 20;
const PLACE = /^(?:0|[1-9]\d?)$/;

/** A method of a text (ECMA-262, 22.1.3). */
export function callText(path: Path, holder: string | Sym, key: string, given: readonly unknown[]): unknown {
  const [first, ...more] = given;
  const test = Object.hasOwn(TESTS, key) ? TESTS[key as keyof typeof TESTS] : null;
  if (test !== null && more.length === 0) return compared(path, test, holder, first);
  const name = typeof holder === "string" ? null : nameOf(holder);
  const step = STEPS.find((one) => one === key);
  if (step !== undefined && given.length === 0) {
    if (name !== null) return partOfText(path, name, { step });
    // How engines change other characters depends on their version of Unicode
    return isAscii(holder as string) ? (holder as string)[step]() : notEvaluated(`\`${key}\` of this text`);
  }
  if (key === "split" && typeof first === "string" && first.length === 1 && more.length === 0)
    return name === null ? (holder as string).split(first) : new Split(name, first);
  return notEvaluated(`\`${key}\` of a text`);
}

function nameOf(text: Sym): string {
  const its = unknownOf(text);
  return its?.kind === "text" ? its.name : notEvaluated("a method of a composed text");
}

export function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

/** The part of a text that a step finds. */
export function ofStep(text: string, step: TextStep): string {
  switch (step.step) {
    case "before first":
      return text.split(step.unit)[0]!;
    case "after first":
      return text.split(step.unit).slice(1).join(step.unit);
    case "after last":
      return text.split(step.unit).at(-1)!;
    case "trim":
    case "trimStart":
    case "trimEnd":
    case "toLowerCase":
    case "toUpperCase":
      return text[step.step]();
    default:
      return notEvaluated("this part of a text");
  }
}

/** The number that is found in a text. */
export function ofMeasure(text: string, { measure, ...of }: TextMeasure): number {
  if (measure === "length") return text.length;
  return "unit" in of && measure === "count" ? text.split(of.unit).length - 1 : notEvaluated("this number");
}

/** Whether a text begins with another one, ends with it or has it in it. */
function compared(path: Path, test: "starts" | "ends" | "includes", holder: string | Sym, other: unknown): boolean {
  if (typeof other === "string" && typeof holder === "string") return TEXT_TESTS[test]!(holder, other);
  if (other === "") return true;
  if (typeof other === "string") return path.ask({ kind: test, of: nameOf(holder as Sym), text: other });
  const right = stringParts(path, other);
  if (right === null) return notEvaluated("a search for a value that is no text");
  const left = stringParts(path, holder)!;
  if (hasUnknown(left) || hasUnknown(right)) return notEvaluated("a text of which nothing is known");
  return path.ask({ kind: "texts", relation: test, left, right });
}

/** A property of the parts of a text: their number, or one of them, which is there if the units before it are. */
export function partOf(path: Path, { of, unit, isShortened }: Split, key: string): unknown {
  if (isShortened) return notEvaluated("the parts of a text after `pop`");
  if (key === "length") return oneMore(measured(path, of, { measure: "count", unit }, 0n));
  if (!PLACE.test(key) || Number(key) > MOST_PARTS) return notEvaluated(`\`${key}\` of the parts of a text`);
  let rest = of;
  for (let before = 0; before < Number(key); before++) {
    if (!path.ask({ kind: "includes", of: rest, text: unit })) return undefined;
    rest = nameOf(partOfText(path, rest, { step: "after first", unit }));
  }
  return partOfText(path, rest, { step: "before first", unit });
}

function oneMore(number: Sym): unknown {
  const its = unknownOf(number);
  return its?.kind === "number" ? numberOf(plus(its.sum, constant(1n), 1n)) : number;
}

export function callSplit(path: Path, split: Split, key: string, given: readonly unknown[]): unknown {
  const [at, ...more] = given;
  if (split.isShortened || more.length > 0) return notEvaluated(`\`${key}\` of the parts of a text`);
  if (key === "at" && Number.isInteger(at) && (at as number) >= 0) return partOf(path, split, String(at));
  const isLast = key === "at" && at === -1;
  if (!isLast && (key !== "pop" || given.length > 0)) return notEvaluated(`\`${key}\` of the parts of a text`);
  if (key === "pop" && path.element !== null) return notEvaluated("`pop` in a loop over a list");
  split.isShortened = key === "pop";
  return partOfText(path, split.of, { step: "after last", unit: split.unit });
}
