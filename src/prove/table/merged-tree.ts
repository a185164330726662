import { type ConditionTree, isQuestion, type Question } from "./condition-tree.js";
import { type Formula, negated, simplified } from "./formula.js";
import type { KnownValues } from "./known-values.js";
import { restricted } from "./restricted-tree.js";
import { TreeKeys } from "./tree-key.js";

/** One tree for both sides of a question, if they are equal but for a value; null if they are not. */
export type Join = (its: Formula, yes: ConditionTree, no: ConditionTree) => ConditionTree | null;

/**
 * A tree with fewer ends that gives the same end for each input. What follows a question is joined with what follows
 * another one if both are equal, if they are equal where the question has this answer, or by `join`.
 */
export function mergedTree(
  tree: ConditionTree,
  known: KnownValues,
  keys = new TreeKeys(),
  join: Join = () => null,
): ConditionTree {
  const merging = new Merging(known, keys, join);
  return merging.merged(merging.shared(tree));
}

class Merging {
  readonly #known = new Map<number, ConditionTree>();
  readonly #merged = new Map<ConditionTree, ConditionTree>();

  constructor(
    private readonly known: KnownValues,
    private readonly keys: TreeKeys,
    private readonly join: Join,
  ) {}

  /** The same tree with one object for equal parts, and without questions whose answer makes no difference. */
  shared(tree: ConditionTree): ConditionTree {
    if (!isQuestion(tree)) return this.#one(tree);
    return this.#question(tree.if, this.shared(tree.yes), this.shared(tree.no));
  }

  /** Large parts come first: what is joined in a part can hide that the part is equal to another one. */
  merged(tree: ConditionTree): ConditionTree {
    const known = this.#merged.get(tree);
    if (known !== undefined) return known;
    const made = this.#made(tree);
    this.#merged.set(tree, made);
    return made;
  }

  #made(tree: ConditionTree): ConditionTree {
    if (!isQuestion(tree)) return tree;
    const joined = this.#joinedOnce(tree);
    if (joined !== null) return this.merged(joined);
    const inner = this.#question(tree.if, this.merged(tree.yes), this.merged(tree.no));
    return inner === tree ? tree : this.merged(inner);
  }

  #one(tree: ConditionTree): ConditionTree {
    const key = this.keys.of(tree);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, tree);
    return tree;
  }

  #question(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree {
    return yes === no ? yes : this.#one({ if: its, yes, no });
  }

  /** A tree with fewer ends; null if there is none. */
  #joinedOnce({ if: its, yes, no }: Question): ConditionTree | null {
    return (
      this.#joined(its, yes, no) ??
      this.#joinedWithPart(its, yes, no) ??
      this.#joinedWithPart(negated(its), no, yes) ??
      this.#askedOnce(its, yes, no)
    );
  }

  /** What follows a question whatever its answer is; null if that is not the same. */
  #joined(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    if (yes === no) return yes;
    if (this.#isEqualWhere(its, yes, no)) return no;
    if (this.#isEqualWhere(negated(its), no, yes)) return yes;
    const joined = this.join(its, yes, no);
    return joined && this.shared(joined);
  }

  /** Whether a tree is equal to a larger one where a formula holds. */
  #isEqualWhere(its: Formula, tree: ConditionTree, larger: ConditionTree): boolean {
    if (this.keys.sizeOf(tree) >= this.keys.sizeOf(larger)) return false;
    const left = restricted(larger, its, this.known);
    return (
      left !== larger && this.keys.sizeOf(left) === this.keys.sizeOf(tree) && this.keys.of(left) === this.keys.of(tree)
    );
  }

  /** Joins what follows a question with one side of the next question on its other side. */
  #joinedWithPart(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    if (!isQuestion(no)) return null;
    const withYes = this.#joined(its, yes, no.yes);
    if (withYes !== null) return this.#question(this.#simple({ any: [its, no.if] }), withYes, no.no);
    const withNo = this.#joined(its, yes, no.no);
    return withNo && this.#question(this.#simple({ all: [negated(its), no.if] }), no.yes, withNo);
  }

  /** Asks a question first that follows both answers, if that leaves fewer ends. */
  #askedOnce(its: Formula, yes: ConditionTree, no: ConditionTree): ConditionTree | null {
    if (!isQuestion(yes) || !isQuestion(no) || JSON.stringify(yes.if) !== JSON.stringify(no.if)) return null;
    const ifYes = this.#joined(its, yes.yes, no.yes);
    if (ifYes !== null) return this.#question(yes.if, ifYes, this.#question(its, yes.no, no.no));
    const ifNo = this.#joined(its, yes.no, no.no);
    return ifNo && this.#question(yes.if, this.#question(its, yes.yes, no.yes), ifNo);
  }

  #simple(formula: Formula): Formula {
    return simplified(formula, this.known);
  }
}
