import { Glob } from "../../policy/scope/glob.js";
import type { TextStep } from "../shared/text-step.js";
import { Automaton, expressionAutomaton } from "../texts/automaton.js";
import type { TextAutomaton } from "../texts/inverse.js";
import { comparesAsNumber } from "../texts/numeric-text.js";
import type { Condition } from "./condition.js";
import {
  type DomainOf,
  isMeasureRight,
  type MeasureOf,
  measureAutomaton,
  partOf,
  takeSteps,
  wholesBy,
} from "./text-parts.js";

/** A condition on a text by itself. */
export interface Rule {
  /** The same for rules with the same automaton, which is made when it is needed: RangeError if it is too large. */
  readonly name: string;
  readonly automaton: () => TextAutomaton;
  readonly is: boolean;
  readonly test: (text: string) => boolean;
}

export const TESTS = {
  starts: (text: string, part: string) => text.startsWith(part),
  ends: (text: string, part: string) => text.endsWith(part),
  includes: (text: string, part: string) => text.includes(part),
  matches: (text: string, pattern: string) => new Glob(pattern).matches(text),
  compares: comparesAsNumber,
};

/** A condition on a part of a text, or on a number in one, as a rule for the text; null for any other condition. */
export function partRule(
  { atom, is }: Condition,
  domainOf: DomainOf,
  measureIn: (name: string) => MeasureOf | null,
): { readonly of: string; readonly rule: Rule } | null {
  if (atom.kind === "number") {
    const [summand, ...others] = atom.term.of;
    const measure = summand && others.length === 0 ? measureIn(summand[1]) : null;
    if (!measure) return null;
    const constant = BigInt(atom.term.constant);
    const rule = { measure: measure.measure, coefficient: BigInt(summand![0]), constant, is: atom.is };
    const { whole, steps } = partOf(measure.of, domainOf);
    const its = { automaton: () => measureAutomaton(rule), test: (text: string) => isMeasureRight(rule, text) };
    return { of: whole, rule: throughSteps({ ...its, name: JSON.stringify(atom), is }, steps) };
  }
  if (!("text" in atom)) return null;
  const { whole, steps } = partOf(atom.of, domainOf);
  if (steps.length > 0) return { of: whole, rule: throughSteps(ruleOf(atom, is), steps) };
  return atom.kind === "regex" || atom.kind === "before" ? { of: whole, rule: ruleOf(atom, is) } : null;
}

function throughSteps({ name, automaton, is, test }: Rule, steps: readonly TextStep[]): Rule {
  return {
    name: JSON.stringify([name, steps]),
    automaton: () => wholesBy(steps, automaton()),
    is,
    test: (text) => test(takeSteps(text, steps)),
  };
}

type RuleAtom = Extract<Condition["atom"], { readonly text: string }>;

function ruleOf(atom: RuleAtom, is: boolean): Rule {
  const name = JSON.stringify({ ...atom, of: "" });
  switch (atom.kind) {
    case "equals":
    case "starts":
    case "ends":
    case "includes": {
      const { kind, text: part } = atom;
      const test = kind === "equals" ? (text: string) => text === part : (text: string) => TESTS[kind](text, part);
      return { name, is, automaton: () => Automaton.ofText(part, kind), test };
    }
    case "before":
      return { name, is, automaton: () => Automaton.before(atom.text), test: (text) => text < atom.text };
    case "regex": {
      const automaton = expressionAutomaton(atom.text, atom.flags);
      return { name, is, automaton: () => automaton, test: (text) => automaton.matches(text) };
    }
    case "compares": {
      // No automaton was made for it, so that no text is tried for it by itself
      const automaton = () => {
        throw new RangeError("there is no automaton for numbers");
      };
      return { name, is, automaton, test: (text) => comparesAsNumber(text, atom.text) };
    }
    case "matches":
      throw new TypeError("a pattern of a scope is compared with a part of a text");
  }
}
