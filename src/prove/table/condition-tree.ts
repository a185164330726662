import type { Exploration, Path } from "../explorer/exploration.js";
import type { PathEnd } from "../shared/atom.js";
import { keyOf } from "../solver/condition.js";
import type { Formula } from "./formula.js";

/** The paths of a policy as questions, each with what follows if its answer is yes or no. */
export type ConditionTree = Question | TreeEnd;

export interface Question {
  readonly if: Formula;
  readonly yes: ConditionTree;
  readonly no: ConditionTree;
}

/** How paths end. */
export interface TreeEnd {
  /** Null for inputs about which nothing is known, because the exploration reached a limit. */
  readonly end: PathEnd | null;
  readonly place: string | null;
}

export function isQuestion(tree: ConditionTree): tree is Question {
  return "if" in tree;
}

const UNEXPLORED: TreeEnd = { end: null, place: null };

/**
 * The tree of an exploration; `endOf` gives what is known of the end of a path. Paths with the same conditions before
 * a condition meet it next. If only one answer was explored and no limit was reached, there is no other.
 */
export function conditionTree(exploration: Exploration, endOf: (path: Path) => PathEnd): ConditionTree {
  const isWhole = exploration.unfinished === null;
  const build = (paths: readonly Path[], depth: number): ConditionTree => {
    const [first] = paths;
    if (first === undefined) return UNEXPLORED;
    const condition = first.conditions[depth];
    if (condition === undefined) return { end: withoutPlace(endOf(first)), place: first.place };
    const { atom } = condition;
    const key = keyOf(atom);
    const [yes, no] = [true, false].map((is) =>
      paths.filter(({ conditions: { [depth]: its } }) => its?.is === is && keyOf(its.atom) === key),
    ) as [Path[], Path[]];
    if (yes.length + no.length < paths.length)
      throw new TypeError("paths that begin in the same way go on differently");
    if (isWhole && no.length === 0) return build(yes, depth + 1);
    if (isWhole && yes.length === 0) return build(no, depth + 1);
    return { if: { atom, is: true }, yes: build(yes, depth + 1), no: build(no, depth + 1) };
  };
  return build(exploration.paths, 0);
}

/** Places of ends are in the tree by file and line. */
function withoutPlace(end: PathEnd): PathEnd {
  return { ...end, place: 0 };
}
