import { isDeepStrictEqual } from "node:util";
import { CountersignError, type ErrorCode } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Domain } from "../../policy/domain.js";
import { declarationsOf } from "../facts/declarations.js";
import type { Branch, Leaf, Refuted, Tree } from "../shared/certificate.js";
import { engineAnswer } from "../witness/engine-answer.js";
import type { CheckedPolicy } from "./checked-policy.js";
import { evaluate, type Outcome } from "./evaluate.js";
import { type Condition, type Names, Path, Symbols } from "./path.js";
import { isRefuted } from "./refutation.js";
import { WitnessInput } from "./witness.js";

/** What was checked of a table. */
export interface CheckedCounts {
  /** Ways through the policy, each with a witness that the engine decided. */
  paths: number;
  branches: number;
  /** Sides of branches that no input takes. */
  refuted: number;
}

/** The time that the engine has for a witness, in milliseconds: the time of a decision is not what is checked. */
const PATIENCE = 10_000;
/** Maximum length of a reason, which the sandbox cuts after that. */
const MAX_REASON = 1024;

/**
 * Checks the table of a policy at one hook. At each node, the policy is evaluated under the conditions that lead there:
 * a branch must be the next condition that decides how the policy goes on, a leaf the policy's answer. Each input
 * therefore goes one way, which the tree has, since a side can only be left out with a refutation.
 */
export class TableChecker {
  readonly #symbols = new Symbols();
  readonly #counts: CheckedCounts = { paths: 0, branches: 0, refuted: 0 };

  constructor(
    private readonly policy: CheckedPolicy,
    private readonly hook: HookName,
    private readonly names: Names,
    private readonly domain: Domain,
  ) {}

  /** Throws PROOF_ errors, with the place in the tree. */
  check(tree: Tree, place: string): CheckedCounts {
    this.#check(tree, [], place);
    return this.#counts;
  }

  /** How the policy goes on under some conditions. */
  outcome(conditions: readonly Condition[]): Outcome {
    return evaluate(this.policy.evaluated, this.hook, this.path(conditions));
  }

  path(conditions: readonly Condition[]): Path {
    return new Path(conditions, declarationsOf(this.hook), this.names, this.#symbols);
  }

  #check(tree: Tree, conditions: readonly Condition[], place: string): void {
    const outcome = this.outcome(conditions);
    if ("notEvaluated" in outcome)
      throw wrong("PROOF_UNSUPPORTED", `${outcome.line}: cannot evaluate ${outcome.notEvaluated}`, place);
    if ("question" in outcome) {
      if ("end" in tree) throw wrong("PROOF_TREE_WRONG", "ends before the policy does", place);
      this.#checkBranch(tree, outcome.question, conditions, place);
    } else {
      if ("if" in tree) throw wrong("PROOF_TREE_WRONG", "has a branch where the policy ends", place);
      if (!isDeepStrictEqual(outcome.end, tree.end))
        throw wrong("PROOF_ANSWER_WRONG", "has another verdict, reason or fault than the policy", place);
      if (outcome.line !== tree.line)
        throw wrong("PROOF_ANSWER_WRONG", `has the line ${tree.line}, the policy ends at ${outcome.line}`, place);
      this.#checkWitness(tree, conditions, place);
    }
  }

  #checkBranch(branch: Branch, atom: Condition["atom"], conditions: readonly Condition[], place: string): void {
    if (!isDeepStrictEqual(branch.if, atom))
      throw wrong("PROOF_TREE_WRONG", "has another condition than the policy", place);
    this.#counts.branches += 1;
    for (const side of ["yes", "no"] as const) {
      const next = branch[side];
      const taken = [...conditions, { atom, is: side === "yes" }];
      if ("refuted" in next) this.#checkRefuted(next, taken, `${place}.${side}`);
      else this.#check(next, taken, `${place}.${side}`);
    }
  }

  #checkRefuted({ refuted }: Refuted, conditions: readonly Condition[], place: string): void {
    if (!isRefuted(refuted, conditions, this.path(conditions)))
      throw wrong("PROOF_REFUTATION_WRONG", "does not show that no input goes this way", place);
    this.#counts.refuted += 1;
  }

  #checkWitness({ end, witness }: Leaf, conditions: readonly Condition[], place: string): void {
    const { declarations, symbols } = this.path(conditions);
    const input = new WitnessInput(witness, declarations, symbols);
    if (input.flaw !== null) throw wrong("PROOF_WITNESS_WRONG", `the witness cannot be: ${input.flaw}`, place);
    if (!input.satisfies(conditions)) throw wrong("PROOF_WITNESS_WRONG", "the witness does not go this way", place);
    const { linked, limits } = this.policy;
    const patient = { ...limits, timeout: PATIENCE };
    const found = engineAnswer(this.domain, linked, patient, this.hook, input, this.names);
    const isFault = "fault" in end;
    const expected = {
      verdict: isFault ? null : typeof end.verdict === "number" ? end.verdict : Number(input.sum(end.verdict)),
      reason: isFault || end.reason === null ? null : cut(input.text(end.reason)),
      fault: isFault ? end.fault : null,
    };
    const { verdict, reason, fault } = found;
    if (!isDeepStrictEqual({ verdict, reason, fault: fault?.code ?? null }, expected))
      throw wrong("PROOF_WITNESS_WRONG", "the engine decides otherwise about the witness", place);
    this.#counts.paths += 1;
  }
}

function cut(reason: string): string {
  return reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON - 1)}…` : reason;
}

function wrong(code: ErrorCode, message: string, place: string): CountersignError {
  const remedy = "make the certificate again with `countersign prove table --certificate FILE`";
  return new CountersignError(code, message, { place, remedy });
}
