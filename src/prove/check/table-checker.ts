import { isDeepStrictEqual } from "node:util";
import { declarationsOf } from "../facts/declarations.js";
import type { Branch, Leaf, Tree } from "../shared/certificate.js";
import type { Examined } from "./examined.js";
import { rejected } from "./form.js";
import { type Condition, type Names, type Outcome, outcomeOf, Path, Symbols } from "./path.js";
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

  /** How it goes on under some conditions. */
  outcome(conditions: readonly Condition[]): Outcome {
    return outcomeOf(this.path(conditions), (path) => this.examined.end(path));
  }

  path(conditions: readonly Condition[]): Path {
    return new Path(conditions, declarationsOf(this.examined.stated.hook), this.names, this.#symbols);
  }

  #check(tree: Tree, conditions: readonly Condition[], place: string): void {
    const outcome = this.outcome(conditions);
    if ("notEvaluated" in outcome)
      throw rejected("PROOF_UNSUPPORTED", `${outcome.line}: cannot evaluate ${outcome.notEvaluated}`, place);
    if ("question" in outcome) {
      if ("end" in tree) throw rejected("PROOF_TREE_WRONG", "ends before the policy does", place);
      this.#checkBranch(tree, outcome.question, conditions, place);
    } else {
      if ("if" in tree) throw rejected("PROOF_TREE_WRONG", "has a branch where the policy ends", place);
      requireEqual(outcome.end, tree.end, place);
      requireEqual({ line: outcome.line }, { line: tree.line }, place);
      this.#checkWitness(tree, conditions, place);
    }
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

  #checkWitness({ end, witness }: Leaf, conditions: readonly Condition[], place: string): void {
    const input = new WitnessInput(witness, this.path(conditions));
    if (input.flaw !== null) throw rejected("PROOF_WITNESS_WRONG", `the witness cannot be: ${input.flaw}`, place);
    if (!input.satisfies(conditions)) throw rejected("PROOF_WITNESS_WRONG", "the witness does not go this way", place);
    const found = this.examined.ask(input);
    if (!isDeepStrictEqual(input.endOf(end), found))
      throw rejected("PROOF_WITNESS_WRONG", `the engine decides ${JSON.stringify(found)} about the witness`, place);
    this.#counts.paths += 1;
    this.#counts.failing += "holds" in end && !end.holds ? 1 : 0;
  }
}

/** Throws PROOF_ANSWER_WRONG if a path ends in another way than evaluation gives. */
function requireEqual(evaluated: object, stated: object, place: string): void {
  const [its, given] = [new Map(Object.entries(evaluated)), new Map(Object.entries(stated))];
  for (const key of new Set([...its.keys(), ...given.keys()])) {
    if (isDeepStrictEqual(its.get(key), given.get(key))) continue;
    const [right, wrong] = [its, given].map((end) => JSON.stringify(end.get(key)) ?? "absent");
    throw rejected("PROOF_ANSWER_WRONG", `has \`${key}\` ${wrong}, evaluation gives ${right}`, place);
  }
}
