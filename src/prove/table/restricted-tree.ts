import type { Condition } from "../solver/condition.js";
import { type ConditionTree, isQuestion } from "./condition-tree.js";
import { answerTo, type Formula } from "./formula.js";
import type { KnownValues } from "./known-values.js";

/** What is left of a tree where a formula holds: without the questions that it answers. */
export function restricted(tree: ConditionTree, given: Formula, known: KnownValues): ConditionTree {
  const all = "all" in given ? given.all : [given];
  const conditions = all.filter((one): one is Condition => "atom" in one);
  return conditions.length === 0 ? tree : within(tree, conditions, known);
}

function within(tree: ConditionTree, conditions: readonly Condition[], known: KnownValues): ConditionTree {
  if (!isQuestion(tree)) return tree;
  const answer = answerTo(tree.if, conditions, known);
  if (answer !== null) return within(answer ? tree.yes : tree.no, conditions, known);
  const [yes, no] = [within(tree.yes, conditions, known), within(tree.no, conditions, known)];
  return yes === tree.yes && no === tree.no ? tree : { if: tree.if, yes, no };
}
