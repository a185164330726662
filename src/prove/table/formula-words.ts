import type { Atom } from "../shared/atom.js";
import type { Condition } from "../solver/condition.js";
import { conditionWords, elementWords, listWords, nameWords, typeWord } from "./condition-words.js";
import type { Formula } from "./formula.js";
import { UNKNOWN_VALUES } from "./known-values.js";
import { minimal } from "./minimal-formula.js";

/** The conditions of a row as a person writes them: what is said of one value is one condition. */
export function rowWords(formulas: readonly Formula[]): readonly string[] {
  return grouped(formulas, false).map((group) => groupWords(group, false));
}

/** A formula in words, in parentheses if it has several parts. */
export function formulaWords(formula: Formula): string {
  if ("atom" in formula) return conditionWordsWithCases(formula);
  const isAny = "any" in formula;
  const groups = grouped(isAny ? formula.any : formula.all, isAny);
  const words = groups.map((group) => groupWords(group, isAny));
  return words.length === 1 ? words[0]! : `(${words.join(isAny ? " or " : " and ")})`;
}

/** Conditions that say what one value is, or is not. */
interface Group {
  /** `prog.type is`, `verify_program("platform") =`; null for anything else. */
  readonly beginning: string | null;
  readonly formulas: readonly Formula[];
}

/** Alternatives are grouped by what a value is, and conditions that all hold by what it is not. */
function grouped(formulas: readonly Formula[], isAny: boolean): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const [index, formula] of formulas.entries()) {
    const beginning = "atom" in formula ? beginningOf(formula, isAny) : null;
    const key = beginning ?? String(index);
    groups.set(key, { beginning, formulas: [...(groups.get(key)?.formulas ?? []), formula] });
  }
  return [...groups.values()];
}

function groupWords({ beginning, formulas }: Group, isAny: boolean): string {
  const [first] = formulas;
  if (beginning === null || formulas.length === 1) return formulaWords(first!);
  const values = formulas.map((one) => saidOf(one as Condition));
  if (isAny) return `${beginning} ${listWords(values)}`;
  const name = beginning.replace(/ (?:is not|≠)$/, "");
  return values.length === 2 ? `${name} is neither ${values.join(" nor ")}` : `${name} is none of ${values.join(", ")}`;
}

/** What a condition says of a value begins so, if others say the same of it; null if it does not. */
function beginningOf(condition: Condition, is: boolean): string | null {
  const { atom } = condition;
  if (condition.is !== is) return null;
  const not = is ? "" : " not";
  if (atom.kind === "equals" || (atom.kind === "type" && is)) return `${nameWords(atom.of)} is${not}`;
  if (atom.kind === "null") return `${nameWords(atom.of.slice(0, -1))} is${not}`;
  return isNumber(atom) ? conditionWords(condition).replace(/ [^ ]*$/, "") : null;
}

function isNumber(atom: Atom): boolean {
  return atom.kind === "number" && atom.is === "= 0" && atom.term.of.length === 1;
}

/** What a condition with a {@link beginningOf} says after that. */
function saidOf(condition: Condition): string {
  const { atom } = condition;
  if (atom.kind === "equals") return JSON.stringify(atom.text);
  if (atom.kind === "null") return "null";
  if (atom.kind === "type") return listWords(atom.among.map(typeWord));
  return conditionWords(condition).replace(/^.* /, "");
}

/** Words of a condition about the elements of a list, whose cases are one formula. */
function conditionWordsWithCases(condition: Condition): string {
  const { atom, is } = condition;
  // Also true if there is no number
  if (atom.kind === "number" && atom.is !== "= 0" && !is) return `not ${conditionWords({ atom, is: true })}`;
  if (atom.kind !== "some" || atom.where.length === 0) return conditionWords(condition);
  const where = minimal({ any: atom.where.map((all) => ({ all })) }, UNKNOWN_VALUES);
  const own: Atom = "atom" in where ? { ...atom, where: [[where]] } : atom;
  if ("atom" in where) return conditionWords({ atom: own, is });
  if ("all" in where && where.all.length === 0) return conditionWords({ atom: { ...atom, where: [[]] }, is });
  const words = "all" in where ? rowWords(where.all).join(" and ") : formulaWords(where).slice(1, -1);
  return `${nameWords(atom.of)} has ${is ? "one" : "none"} where ${elementWords(words, atom.of)}`;
}
