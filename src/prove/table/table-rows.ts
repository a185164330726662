import type { Exploration, Path } from "../explorer/exploration.js";
import type { PathEnd } from "../shared/atom.js";
import { type Condition, keyOf } from "../solver/condition.js";
import { type Knowledge, solve } from "../solver/solver.js";
import { type ConditionTree, conditionTree, isQuestion } from "./condition-tree.js";
import { conjuncts, type Formula, negated } from "./formula.js";
import { type KnownValues, knownValues } from "./known-values.js";
import { mergedTree } from "./merged-tree.js";
import type { NamedValue } from "./named-value.js";
import { TreeKeys } from "./tree-key.js";
import { ValueNames } from "./value-names.js";

/** Ways to one end, as few as were found: each input is on one row. */
export interface TableRow {
  /** All of them hold. */
  readonly conditions: readonly Formula[];
  readonly end: PathEnd;
  /** `file:line` of the end; null if it is not known. */
  readonly place: string | null;
}

export interface TableRows {
  readonly rows: readonly TableRow[];
  /** The values that conditions name, each after those that it is made of. */
  readonly values: readonly NamedValue[];
}

/** The rows of an exploration; `endOf` gives what is known of the end of a path. */
export function tableRows(exploration: Exploration, endOf: (path: Path) => PathEnd): TableRows {
  const { knowledge } = exploration;
  const keys = new TreeKeys();
  const facts = knownValues(knowledge);
  const guardsOf: KnownValues["guardsOf"] = (name) => names.guardsOf(name) ?? facts.guardsOf(name);
  const known = { ...facts, guardsOf };
  const names = new ValueNames(knowledge, known, keys);
  const tree = mergedTree(conditionTree(exploration, endOf), known, keys, (its, yes, no) => names.joined(its, yes, no));
  const isNamed = (one: Condition) => names.values.some(({ name }) => keyOf(one.atom).includes(name));
  const rows = [...rowsOf(tree, [])].map(({ conditions, ...row }) => {
    const own = withoutUnneeded(conditions, knowledge, isNamed);
    return { ...row, conditions: conjuncts(own, known) };
  });
  return { rows, values: names.values };
}

function* rowsOf(tree: ConditionTree, before: readonly Formula[]): Generator<TableRow> {
  if (isQuestion(tree)) {
    yield* rowsOf(tree.yes, [...before, tree.if]);
    yield* rowsOf(tree.no, [...before, negated(tree.if)]);
  } else if (tree.end !== null) yield { conditions: before, end: tree.end, place: tree.place };
}

/** Leaves out conditions that follow from the others, all of which say first that what they are about is there. */
function withoutUnneeded(
  formulas: readonly Formula[],
  knowledge: Knowledge,
  isNamed: (one: Condition) => boolean,
): readonly Formula[] {
  let left = formulas.flatMap(function parts(one): readonly Formula[] {
    return "all" in one ? one.all.flatMap(parts) : [one];
  });
  const isSolved = (one: Formula): one is Condition => "atom" in one && !isNamed(one);
  for (const one of left.filter(isSolved)) {
    const others = left.filter((other) => other !== one);
    const query = others.filter(isSolved);
    if (solve([...query, { ...one, is: !one.is }], knowledge) === "unsatisfiable") left = others;
  }
  return left;
}
