import { keyOf } from "../solver/condition.js";
import { type ConditionTree, isQuestion } from "./condition-tree.js";
import { ALWAYS, type Formula, negated, simplified } from "./formula.js";
import type { KnownValues } from "./known-values.js";
import { mergedTree } from "./merged-tree.js";

/** More conditions would make too large a tree. */
const MOST_CONDITIONS = 10;

/** A formula that is true of the same inputs, in which each condition is asked as few times as was found. */
export function minimal(formula: Formula, known: KnownValues): Formula {
  const atoms = new Map<string, Formula>();
  for (const one of conditionsIn(formula)) atoms.set(keyOf(one.atom), { atom: one.atom, is: true });
  if (atoms.size > MOST_CONDITIONS) return simplified(formula, known);
  return formulaOf(mergedTree(treeOf(formula, [...atoms.values()]), known), known);
}

function conditionsIn(formula: Formula): readonly Extract<Formula, { atom: unknown }>[] {
  if ("all" in formula) return formula.all.flatMap(conditionsIn);
  return "any" in formula ? formula.any.flatMap(conditionsIn) : [formula];
}

const YES: ConditionTree = { end: null, place: "yes" };
const NO: ConditionTree = { end: null, place: "no" };

function treeOf(formula: Formula | boolean, atoms: readonly Formula[]): ConditionTree {
  if (typeof formula === "boolean") return formula ? YES : NO;
  const [first, ...others] = atoms;
  if (first === undefined) return isTrue(formula) ? YES : NO;
  const [yes, no] = [treeOf(after(formula, first, true), others), treeOf(after(formula, first, false), others)];
  return yes === no ? yes : { if: first, yes, no };
}

/** The value of a formula without conditions. */
function isTrue(formula: Formula): boolean {
  if ("all" in formula) return formula.all.every(isTrue);
  if ("any" in formula) return formula.any.some(isTrue);
  throw new TypeError("a formula has a condition that was not asked");
}

/** A formula where a condition has a value. */
function after(formula: Formula, its: Formula, value: boolean): Formula | boolean {
  if ("atom" in formula) {
    const isSame = "atom" in its && keyOf(its.atom) === keyOf(formula.atom);
    return isSame ? formula.is === value : formula;
  }
  const [parts, decides] = "all" in formula ? [formula.all, false] : [formula.any, true];
  const left = parts.map((one) => after(one, its, value)).filter((one) => one !== !decides);
  if (left.includes(decides)) return decides;
  if (left.length === 0) return !decides;
  return decides ? { any: left as Formula[] } : { all: left as Formula[] };
}

function formulaOf(tree: ConditionTree, known: KnownValues): Formula {
  if (!isQuestion(tree)) return tree.place === "yes" ? ALWAYS : negated(ALWAYS);
  const [yes, no] = [formulaOf(tree.yes, known), formulaOf(tree.no, known)];
  const not = negated(tree.if);
  return simplified(
    isAlways(yes)
      ? { any: [tree.if, no] }
      : isAlways(no)
        ? { any: [not, yes] }
        : isAlways(negated(yes))
          ? { all: [not, no] }
          : isAlways(negated(no))
            ? { all: [tree.if, yes] }
            : { any: [{ all: [tree.if, yes] }, { all: [not, no] }] },
    known,
  );
}

function isAlways(formula: Formula): boolean {
  return "all" in formula && formula.all.length === 0;
}
