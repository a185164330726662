import { isDeepStrictEqual } from "node:util";
import type { AttachmentConfig } from "../../config/attachments.js";
import { CountersignError } from "../../error.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import { CheckedPolicies } from "../check/checked-policies.js";
import { digestsOf } from "../check/digests.js";
import { attachmentAt, decisionAt, type Examined, propertyAt } from "../check/examined.js";
import type { Condition, Names } from "../check/path.js";
import { TableChecker } from "../check/table-checker.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import { type Exploration, type ExplorationLimits, explore, type Path } from "../explorer/exploration.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { EvaluatedProperty } from "../property/evaluated-property.js";
import { hasUnknown } from "../shared/atom.js";
import type { CertifiedTable, End, Leaf, Refuted, TableCertificate, Tree } from "../shared/certificate.js";
import { solve } from "../solver/solver.js";
import { inputsOf } from "../witness/model-input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import { DefinedExploration } from "./defined-exploration.js";
import { LimitError } from "./limit-error.js";
import { findRefutation } from "./refutation-search.js";
import { witnessOf } from "./witness-json.js";

/**
 * Makes the certificate of the tables of attachments, and of the configuration if all are chosen. Their order of
 * conditions is that in which the checker meets them; which can hold, and the ends, are those of the explorer. Throws
 * PROOF_UNSUPPORTED if a policy has something that the explorer leaves undecided or the checker does not evaluate; a
 * {@link LimitError} if the exploration reaches a limit.
 */
export function makeCertificate(
  policies: PlacedPolicies,
  isChosen: (attachment: AttachmentConfig) => boolean,
  limits: ExplorationLimits,
): TableCertificate {
  return certificateOf(policies, limits, function* (checked, bounds) {
    for (const [index, { attachment, policy, source, hooks }] of policies.placed.entries())
      for (const hook of isChosen(attachment) ? hooks : []) {
        const exploration = explore(source, hook, policies.names, attachment.limits, bounds());
        const about = { name: `\`${attachment.name}\` at ${hook}`, place: policy.file };
        yield tableOf(attachmentAt(hook, checked, checked.placed[index]!), policies.names, exploration, about);
      }
    if (!policies.placed.every(({ attachment }) => isChosen(attachment))) return;
    for (const hook of HOOK_NAMES.filter((one) => policies.at(one).length > 0)) {
      const about = { name: `the configuration at ${hook}`, place: policies.config.file };
      yield tableOf(decisionAt(hook, checked), policies.names, policies.explore(hook, bounds()), about);
    }
  });
}

/** Makes the certificate of properties of the decisions at hooks. Throws as {@link makeCertificate}. */
export function makePropertyCertificate(
  policies: PlacedPolicies,
  questions: readonly { readonly hook: HookName; readonly property: PropertySource }[],
  limits: ExplorationLimits,
): TableCertificate {
  return certificateOf(policies, limits, function* (checked, bounds) {
    for (const { hook, property } of questions) {
      const exploration = policies.explore(hook, bounds(), property);
      const about = { name: `\`${property.name}\` at ${hook}`, place: property.file };
      const evaluated = new EvaluatedProperty(policies, hook, property);
      try {
        const table = tableOf(propertyAt(hook, checked, evaluated), policies.names, exploration, about);
        yield { ...table, answer: isFalseIn(table.tree) ? "refuted" : "proved" } as CertifiedTable;
      } finally {
        evaluated.close();
      }
    }
  });
}

type Tables = (checked: CheckedPolicies, bounds: () => ExplorationLimits) => Generator<CertifiedTable>;

function certificateOf({ config, names }: PlacedPolicies, limits: ExplorationLimits, tables: Tables): TableCertificate {
  const end = performance.now() + limits.timeout;
  const bounds = () => ({ ...limits, timeout: Math.max(0, end - performance.now()) });
  const { known: maps = {} } = names;
  const checked = new CheckedPolicies(config, maps);
  try {
    const all = [...tables(checked, bounds)];
    return { certificate: "countersign prove", version: 3, digests: digestsOf(config.file), maps, tables: all };
  } finally {
    checked.close();
  }
}

function tableOf(examined: Examined, names: Names, exploration: Exploration, about: About): CertifiedTable {
  const tree = new TreeMaker(examined, names, exploration, about).tree();
  return { ...examined.stated, tree } as unknown as CertifiedTable;
}

/** Whether a property is false at an end. */
function isFalseIn(tree: Tree | Refuted): boolean {
  if ("if" in tree) return isFalseIn(tree.yes) || isFalseIn(tree.no);
  return "end" in tree && "holds" in tree.end && !tree.end.holds;
}

/** What a tree is about, for messages. */
interface About {
  readonly name: string;
  readonly place: string;
}

const NOT_UNIQUE = "the explorer has no unique path for one of its inputs, which is a fault of Countersign: report it";
const NOT_SAME = "the explorer and the checker have different ends for one of its inputs: report it";
const REMEDY = "name another attachment or property, or write that part of the policy with simpler syntax";

class TreeMaker {
  readonly #checker: TableChecker;
  /** What was explored, and the symbols that only the checker has. */
  readonly #explored: DefinedExploration;

  constructor(
    examined: Examined,
    names: Names,
    private readonly exploration: Exploration,
    private readonly about: About,
  ) {
    this.#checker = new TableChecker(examined, names);
    this.#explored = new DefinedExploration(exploration, this.#checker.path([]).symbols);
  }

  tree(): Tree {
    const { unfinished, paths } = this.exploration;
    const { name, place } = this.about;
    if (unfinished !== null) throw new LimitError(unfinished, name, { place, remedy: REMEDY });
    for (const { end, place: line } of paths) if (end.kind === "not decided") throw this.#unsupported(end.why, line);
    return this.#tree([]);
  }

  #tree(conditions: readonly Condition[]): Tree {
    const outcome = this.#checker.outcome(conditions);
    if ("notEvaluated" in outcome)
      throw this.#unsupported(`cannot evaluate ${outcome.notEvaluated}`, outcome.line || null);
    this.#explored.define();
    if (!("question" in outcome)) return this.#leaf(conditions, outcome);
    const { question: atom } = outcome;
    const side = (is: boolean) => this.#side([...conditions, { atom, is }]);
    return { if: atom, yes: side(true), no: side(false) };
  }

  #side(conditions: readonly Condition[]): Tree | Refuted {
    if (solve(conditions, this.#explored.its.knowledge) !== "unsatisfiable") return this.#tree(conditions);
    const refuted = findRefutation(conditions, this.#checker.path(conditions));
    if (refuted === null) throw this.#unsupported("no refutation was found for conditions that cannot all hold");
    return { refuted };
  }

  #leaf(conditions: readonly Condition[], { end, line }: Pick<Leaf, "end" | "line">): Leaf {
    const exploration = this.#explored.its;
    const model = solve(conditions, exploration.knowledge);
    for (const input of typeof model === "string" ? [] : inputsOf(model, exploration)) {
      const values = new SymbolValues(input, exploration.knowledge);
      if (!values.satisfy(conditions)) continue;
      const ways = exploration.paths.filter((path) => values.satisfy(path.conditions));
      const [way] = ways;
      const explored = ways.length === 1 ? endOf(way!) : null;
      if (explored === null) throw this.#unsupported(NOT_UNIQUE);
      const isSame = isDeepStrictEqual(givenBy(end, values), givenBy(explored.end, values));
      if (!isSame || explored.line !== line) throw this.#unsupported(NOT_SAME, line || null);
      // With the explorer's order of properties, in the checker's words
      const stated = { ...explored.end, ...end };
      return { end: stated, line, witness: witnessOf(input, exploration, values) };
    }
    throw this.#unsupported("no example was found for one of its paths");
  }

  #unsupported(why: string, place: string | null = null): CountersignError {
    const { name, place: whole } = this.about;
    return new CountersignError("PROOF_UNSUPPORTED", `no certificate can be made of ${name}: ${why}`, {
      place: place ?? whole,
      remedy: REMEDY,
    });
  }
}

/** An end as it is for an input. A reason of which something is not known is left out. */
function givenBy(end: End, values: SymbolValues): object {
  if ("holds" in end) return end;
  const { verdict, reason } = end;
  const isKnown = reason === null || !hasUnknown(reason);
  return {
    ...end,
    verdict: typeof verdict === "object" && verdict !== null ? values.number(verdict) : verdict,
    reason: reason && isKnown ? values.text(reason) : null,
  };
}

/** The end of a path in the form of a certificate, with its line. */
function endOf({ end, place }: Path): Pick<Leaf, "end" | "line"> | null {
  const line = place ?? "";
  if (end.kind === "fault") return { end: { verdict: null, reason: null, fault: end.code }, line };
  if (end.kind === "verdict") return { end: { verdict: end.verdict, reason: end.reason, fault: null }, line };
  if (end.kind === "property") return end.holds === null ? null : { end: { holds: end.holds }, line: "" };
  if (end.kind !== "decision") return null;
  const { verdict, reason, fault, by } = end;
  return { end: { verdict, reason, fault: fault?.code ?? null, by }, line };
}
