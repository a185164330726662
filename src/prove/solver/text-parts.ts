import type { Atom, LinearTerm, SymbolDomain } from "../shared/atom.js";
import { measuredName, measureOf, stepOf, type TextMeasure, type TextStep, wholeName } from "../shared/text-step.js";
import { measured, type TextAutomaton, wholesOf } from "../texts/inverse.js";
import { compares } from "./constraints.js";

export type DomainOf = (name: string) => SymbolDomain | undefined;

/** A text as a part of another one that is no part: the steps are taken one after the other. */
export interface TextPartOf {
  readonly whole: string;
  readonly steps: readonly TextStep[];
}

export function partOf(name: string, domainOf: DomainOf): TextPartOf {
  const steps: TextStep[] = [];
  let whole = name;
  for (;;) {
    const domain = domainOf(whole);
    if (domain?.kind !== "text" || domain.step === undefined) return { whole, steps };
    steps.unshift(domain.step);
    whole = wholeName(whole, domain.step);
  }
}

/** A number that is found in a text, and the name of that text; null for any other number. */
export interface MeasureOf {
  readonly of: string;
  readonly measure: TextMeasure;
}

const LENGTH = ".length";

/** `isText` says whether a value of a map is a text. */
export function measureIn(name: string, domainOf: DomainOf, isText: (name: string) => boolean): MeasureOf | null {
  const domain = domainOf(name);
  if (domain?.kind === "integer" && domain.measure !== undefined)
    return { of: measuredName(name, domain.measure), measure: domain.measure };
  if (!name.endsWith(LENGTH)) return null;
  const of = name.slice(0, -LENGTH.length);
  const its = domainOf(of);
  return its?.kind === "text" || (its?.kind === "json" && isText(of)) ? { of, measure: { measure: "length" } } : null;
}

/** The names in a condition, in place of parts of texts and of numbers in texts those of the texts. */
export function wholeNames(names: readonly string[], domainOf: DomainOf): readonly string[] {
  return names.map((name) => partOf(measureIn(name, domainOf, () => true)?.of ?? name, domainOf).whole);
}

/** The part of a text by steps. */
export function takeSteps(text: string, steps: readonly TextStep[]): string {
  return steps.reduce(stepOf, text);
}

/** The texts of which a part is accepted by an automaton. */
export function wholesBy(steps: readonly TextStep[], part: TextAutomaton): TextAutomaton {
  return steps.reduceRight((accepted, step) => wholesOf(step, accepted), part);
}

/** Texts of which parts by steps, and places of units, differ from those of most texts. */
export function likelyTexts(steps: readonly TextStep[], measures: readonly TextMeasure[]): readonly string[] {
  const named = [...steps, ...measures].flatMap((its) => ("unit" in its ? [its.unit] : []));
  const spaces = steps.some(({ step }) => step.startsWith("trim")) ? [" "] : [];
  const letters = steps.some(({ step }) => step.endsWith("Case")) ? ["A", "a"] : [];
  const units = new Set([...named, ...spaces, ...letters, ...(steps.length + measures.length > 0 ? ["b"] : [])]);
  return [...units].flatMap((its) => [`${its}a`, `a${its}`, `${its}a${its}`, `a${its}${its}`, `a${its}bc${its}d`, its]);
}

/** A linear condition on one number that is found in a text. */
export interface MeasureRule {
  readonly measure: TextMeasure;
  readonly coefficient: bigint;
  readonly constant: bigint;
  readonly is: Extract<Atom, { kind: "number" }>["is"];
}

export function isMeasureRight({ measure, coefficient, constant, is }: MeasureRule, text: string): boolean {
  return compares(constant + coefficient * BigInt(measureOf(text, measure)), is);
}

/** Numbers from which on an automaton would be too large. */
const MOST = 2_000n;

/** The texts for which the condition is true. Throws RangeError if the automaton would be too large. */
export function measureAutomaton({ measure, coefficient, constant, is }: MeasureRule): TextAutomaton {
  const root = -constant / coefficient;
  // All numbers above the root, and all below it, are alike
  const most = (root < 0n ? 0n : root) + 2n;
  if (most > MOST) throw new RangeError("the automaton is too large");
  return measured(measure, Number(most), (its) => compares(constant + coefficient * BigInt(its), is));
}

/** The value of a linear term; null if a number in it is not known. */
export function sumOf({ constant, of }: LinearTerm, numberOf: (name: string) => bigint | null): bigint | null {
  let sum = BigInt(constant);
  for (const [by, name] of of) {
    const value = numberOf(name);
    if (value === null) return null;
    sum += BigInt(by) * value;
  }
  return sum;
}
