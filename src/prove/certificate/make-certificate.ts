import type { AttachmentConfig } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { type CheckedPolicy, checkedPolicies } from "../check/checked-policy.js";
import { digestsOf } from "../check/digests.js";
import type { Condition } from "../check/path.js";
import { TableChecker } from "../check/table-checker.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import { type Exploration, type ExplorationLimits, explore, type Path } from "../explorer/exploration.js";
import type { Answer, Certificate, CertifiedTable, Leaf, Refuted, Tree } from "../shared/certificate.js";
import { solve } from "../solver/solver.js";
import { inputsOf } from "../witness/model-input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import { findRefutation } from "./refutation-search.js";
import { witnessOf } from "./witness-json.js";

/**
 * Makes the certificate of the tables of attachments. Their order of conditions is that in which the checker meets
 * them; which can hold, and the answers, are those of the explorer. Throws PROOF_UNSUPPORTED if a policy has something
 * that the explorer leaves undecided or the checker does not evaluate.
 */
export function makeCertificate(
  policies: PlacedPolicies,
  isChosen: (attachment: AttachmentConfig) => boolean,
  limits: ExplorationLimits,
): Certificate {
  const end = performance.now() + limits.timeout;
  const checked = checkedPolicies(policies.config);
  const tables = policies.placed.flatMap(({ attachment, source, hooks }, index) => {
    if (!isChosen(attachment)) return [];
    return hooks.map((hook): CertifiedTable => {
      const bounds = { ...limits, timeout: Math.max(0, end - performance.now()) };
      const exploration = explore(source, hook, policies.names, attachment.limits, bounds);
      const policy = checked[index]!;
      const tree = new TreeMaker(policies, policy, hook, exploration).tree();
      return { attachment: attachment.name, hook, policy: policy.linked.digest, tree };
    });
  });
  const digests = digestsOf(policies.config.file);
  return { certificate: "countersign prove table", version: 1, digests, maps: "any", tables };
}

class TreeMaker {
  readonly #checker: TableChecker;

  constructor(
    { names, domain }: PlacedPolicies,
    private readonly policy: CheckedPolicy,
    private readonly hook: HookName,
    private readonly exploration: Exploration,
  ) {
    this.#checker = new TableChecker(policy, hook, names, domain);
  }

  tree(): Tree {
    const { unfinished, paths } = this.exploration;
    if (unfinished !== null) throw this.#unsupported(unfinished);
    for (const { end, place } of paths) if (end.kind === "not decided") throw this.#unsupported(end.why, place);
    return this.#tree([]);
  }

  #tree(conditions: readonly Condition[]): Tree {
    const outcome = this.#checker.outcome(conditions);
    if ("notEvaluated" in outcome)
      throw this.#unsupported(`cannot evaluate ${outcome.notEvaluated}`, outcome.line || null);
    if (!("question" in outcome)) return this.#leaf(conditions);
    const { question: atom } = outcome;
    const side = (is: boolean) => this.#side([...conditions, { atom, is }]);
    return { if: atom, yes: side(true), no: side(false) };
  }

  #side(conditions: readonly Condition[]): Tree | Refuted {
    if (solve(conditions, this.exploration.knowledge) !== "unsatisfiable") return this.#tree(conditions);
    const refuted = findRefutation(conditions, this.#checker.path(conditions));
    if (refuted === null) throw this.#unsupported("has conditions that cannot hold for a reason which is not checked");
    return { refuted };
  }

  #leaf(conditions: readonly Condition[]): Leaf {
    const { exploration } = this;
    const model = solve(conditions, exploration.knowledge);
    for (const input of typeof model === "string" ? [] : inputsOf(model, exploration)) {
      const values = new SymbolValues(input, exploration.knowledge);
      if (!values.satisfy(conditions)) continue;
      const ways = exploration.paths.filter((path) => values.satisfy(path.conditions));
      const [way] = ways;
      const end = ways.length === 1 ? answerOf(way!) : null;
      if (end === null || way!.place === null) throw this.#unsupported("is not on one path of the explorer");
      return { end, line: way!.place, witness: witnessOf(input, exploration, values) };
    }
    throw this.#unsupported("has a path of which no example was found");
  }

  #unsupported(why: string, place: string | null = null): CountersignError {
    const { attachment, linked } = this.policy;
    const message = `no certificate can be made of \`${attachment}\` at ${this.hook}: ${why}`;
    return new CountersignError("PROOF_UNSUPPORTED", message, {
      place: place ?? linked.file,
      remedy: "name another attachment with --attachment, or write that part of the policy with simpler syntax",
    });
  }
}

function answerOf({ end }: Path): Answer | null {
  if (end.kind === "fault") return { fault: end.code };
  return end.kind === "verdict" ? { verdict: end.verdict, reason: end.reason } : null;
}
