import { isDeepStrictEqual } from "node:util";
import { declarationsOf } from "../facts/declarations.js";
import type { Branch, Leaf, Tree } from "../shared/certificate.js";
import type { Examined } from "./examined.js";
import { rejected, requireEqual } from "./form.js";
import { attempt, type Condition, type Names, type Outcome, Path, Stop, Symbols } from "./path.js";
import { isRefuted } from "./refutation.js";
import { WitnessInput } from "./witness.js";

/** What was checked of a table. */
export interface CheckedCounts {
  /** Ways through the policies, each with a witness that the engine decided. */
  paths: number;
  /** Those at whose end a property does not hold. */
  failing: number;
  branches: number;
  /** Sides of branches that no input takes. */
  refuted: number;
}

const WRONG = (right: string) => `is not ${right}, which evaluation gives`;

/**
 * Checks a table. At each node, what the table is about is evaluated under the conditions that lead there: a branch
 * must be the next condition that decides how it goes on, a leaf its end. Each input therefore goes one way, which the
 * tree has, since a side can only be left out with a refutation.
 */
export class TableChecker {
  readonly #symbols = new Symbols();
  readonly #counts: CheckedCounts = { paths: 0, failing: 0, branches: 0, refuted: 0 };

  constructor(
    private readonly examined: Examined,
    private readonly names: Names,
  ) {}

  /** Throws PROOF_ errors, with the place in the tree. */
  check(tree: Tree, place: string): CheckedCounts {
    this.#check(tree, [], place);
    return this.#counts;
  }

  /** How it goes on under some conditions, up to the first condition that they do not decide. */
  outcome(conditions: readonly Condition[]): Outcome {
    const path = this.path(conditions);
    const its = attempt(Stop, () => this.examined.end(path));
    if (!(its instanceof Stop)) return its;
    if ("fault" in its.why) throw its;
    return { ...its.why, line: path.line };
  }

  path(conditions: readonly Condition[]): Path {
    return new Path(conditions, declarationsOf(this.examined.stated.hook), this.names, this.#symbols);
  }

  #check(tree: Tree, conditions: readonly Condition[], place: string): void {
    const outcome = this.outcome(conditions);
    if ("notEvaluated" in outcome)
      throw rejected("PROOF_UNSUPPORTED", `${outcome.line}: cannot evaluate ${outcome.notEvaluated}`, place);
    if ("question" in outcome && "if" in tree) this.#checkBranch(tree, outcome.question, conditions, place);
    else if ("end" in outcome && "end" in tree) this.#checkLeaf(tree, outcome, conditions, place);
    else throw rejected("PROOF_TREE_WRONG", "ends where the policy goes on, or goes on where it ends", place);
  }

  #checkBranch(branch: Branch, atom: Condition["atom"], conditions: readonly Condition[], place: string): void {
    if (!isDeepStrictEqual(branch.if, atom))
      throw rejected("PROOF_TREE_WRONG", "has another condition than the policy", place);
    this.#counts.branches += 1;
    for (const side of ["yes", "no"] as const) {
      const next = branch[side];
      const taken = [...conditions, { atom, is: side === "yes" }];
      if (!("refuted" in next)) this.#check(next, taken, `${place}.${side}`);
      else if (isRefuted(next.refuted, taken, this.path(taken))) this.#counts.refuted += 1;
      else throw rejected("PROOF_REFUTATION_WRONG", "does not show that no input goes this way", `${place}.${side}`);
    }
  }

  #checkLeaf({ end, line, witness }: Leaf, outcome: object, conditions: readonly Condition[], place: string): void {
    requireEqual(outcome, { end, line }, "PROOF_ANSWER_WRONG", WRONG, place);
    const input = new WitnessInput(witness, this.path(conditions));
    if (input.flaw !== null) throw rejected("PROOF_WITNESS_WRONG", `the witness cannot be: ${input.flaw}`, place);
    if (!input.satisfies(conditions)) throw rejected("PROOF_WITNESS_WRONG", "the witness does not go this way", place);
    const found = this.examined.ask(input);
    if (!isDeepStrictEqual(input.endOf(end, found), found))
      throw rejected("PROOF_WITNESS_WRONG", `the engine decides ${JSON.stringify(found)} about the witness`, place);
    this.#counts.paths += 1;
    this.#counts.failing += "holds" in end && !end.holds ? 1 : 0;
  }
}
