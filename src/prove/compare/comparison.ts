import type { HookName } from "../../hooks/catalogue.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { Exploration, ExplorationLimits, Path } from "../explorer/exploration.js";
import { type DecisionEnd, hasUnknown } from "../shared/atom.js";
import { comparedVerdicts } from "../shared/compared-verdicts.js";
import { type Doubt, distinctDoubts, limitDoubt } from "../shared/doubt.js";
import { conditionWords } from "../table/condition-words.js";
import { confirmBy, doubtFrom } from "../witness/confirmed-path.js";
import { decisionDifference } from "../witness/decision-difference.js";
import { type EngineDecision, engineDecision } from "../witness/engine-decision.js";
import { Example } from "../witness/example.js";
import type { Input } from "../witness/input.js";
import { type ShownDecision, shownDecision, shownValues } from "../witness/shown-decision.js";
import type { DefinitionChanges } from "./definition-changes.js";

/**
 * How the decisions of two configurations differ: the new one allows what the old one denies, or the reverse; both deny
 * with different errnos; or both deny with the same one, but for another reason, by another attachment or by a fault.
 */
export type DifferenceKind = "allowed" | "denied" | "errno" | "reason";

/** An example of a difference, which the engine has decided by both configurations. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly conditions: readonly string[];
  /** The facts, the caller's fields and the answers of helpers that the conditions name, by their names. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly old: PlacedDecision;
  readonly new: PlacedDecision;
  readonly example: Example;
}

export interface PlacedDecision extends ShownDecision {
  /** `file:line` of the denial; null for none. */
  readonly place: string | null;
}

/**
 * How the decisions of two configurations at a hook differ:
 *
 * - `equal`: they are the same for all subjects, callers, maps and signatures, under what is assumed;
 * - `differs`: `differences` has an example of each kind that was found;
 * - `not decided`: none was found, and `doubts` says why there may be one.
 */
export interface ComparisonAnswer {
  readonly hook: HookName;
  readonly answer: "equal" | "differs" | "not decided";
  readonly differences: readonly Difference[];
  readonly doubts: readonly Doubt[];
  /** How many ways through the policies of both were explored, and for how many the engine confirmed an example. */
  readonly paths: number;
  readonly confirmed: number;
}

export interface ComparisonOptions {
  readonly bounds: ExplorationLimits;
  /** Whether a difference only in reason, denying attachment or fault counts. */
  readonly comparesReasons: boolean;
}

/** The hooks at which two configurations can differ: those with attachments, or with different defaults. */
export function comparedHooks(old: PlacedPolicies, its: PlacedPolicies): readonly HookName[] {
  const defaults = Object.entries(old.config.default) as [HookName, string][];
  const changed = defaults.filter(([hook, rule]) => its.config.default[hook] !== rule).map(([hook]) => hook);
  return [...new Set([...old.hooks, ...its.hooks, ...changed])];
}

/** Compares the decisions of two configurations at a hook. Throws what linking their policies throws. */
export function compareDecisions(
  old: PlacedPolicies,
  its: PlacedPolicies,
  hook: HookName,
  changes: DefinitionChanges,
  options: ComparisonOptions,
): ComparisonAnswer {
  if (changes.isNone && sameAttachments(old, its, hook))
    return { hook, answer: "equal", differences: [], doubts: [], paths: 0, confirmed: 0 };
  const exploration = old.exploreWith(its, hook, options.bounds, {
    definesTheSame: changes.isNone,
    comparesReasons: options.comparesReasons,
  });
  const comparison = new Comparison(old, its, exploration, options);
  for (const path of exploration.paths) comparison.add(path);
  return comparison.answer(changes.doubtsIn(exploration, hook));
}

/** Whether the same policies are asked in the same way, so that whatever they answer is the same. */
function sameAttachments(old: PlacedPolicies, its: PlacedPolicies, hook: HookName): boolean {
  const [one, other] = [old, its].map((policies) =>
    JSON.stringify([
      policies.config.mode,
      policies.config.default[hook],
      policies.names,
      policies.at(hook).map(({ attachment: { name, mode, onFault, scope, limits }, policy }) => {
        return [name, mode, onFault, scope, limits, policy.file, policy.digest];
      }),
    ]),
  );
  return one === other;
}

interface Decisions {
  readonly old: DecisionEnd;
  readonly new: DecisionEnd;
}

class Comparison {
  readonly #differences = new Map<DifferenceKind, Difference>();
  readonly #doubts: Doubt[] = [];
  #confirmed = 0;

  constructor(
    private readonly old: PlacedPolicies,
    private readonly its: PlacedPolicies,
    private readonly exploration: Exploration,
    private readonly options: ComparisonOptions,
  ) {
    const { unfinished } = exploration;
    if (unfinished !== null) this.#doubts.push(limitDoubt(unfinished));
  }

  add(path: Path): void {
    const { end, place } = path;
    if (end.kind === "not decided") {
      this.#doubts.push({ why: end.why, place });
      return;
    }
    if (end.kind !== "comparison") throw new TypeError(`a comparison cannot end with a ${end.kind}`);
    const confirmation = confirmBy(path, this.exploration, (input, values) => {
      const { old, its } = this.#decided(input);
      const outcomes = [...old.outcomes.values(), ...its.outcomes.values()];
      const isSame = this.#kindOf(old, its) === null || this.#kindOf(old, its) === "reason";
      const doubt = isSame === end.isSame ? null : "the engine's verdicts compare in another way";
      if (end.decisions === null) return { outcomes, differs: doubt };
      const { old: one, new: other } = end.decisions;
      const differs = decisionDifference(one, values, old) ?? decisionDifference(other, values, its) ?? doubt;
      return { outcomes, differs };
    });
    const why = `whether the decisions differ if ${path.conditions.map(conditionWords).join(" and ") || "anything"}`;
    const { decisions } = end;
    const where = decisions && (this.#placeOf(decisions.new) ?? this.#placeOf(decisions.old));
    const against = doubtFrom(confirmation);
    if (against !== null) this.#doubts.push({ ...against, place: where });
    else if (confirmation.status === "confirmed") this.#confirm(path, confirmation.input, decisions);
    else if (!end.isSame || (this.options.comparesReasons && decisions !== null && !sameReasons(decisions)))
      this.#doubts.push({ why, place: where });
  }

  #confirm(path: Path, input: Input, decisions: Decisions | null): void {
    this.#confirmed += 1;
    if (decisions === null) return;
    const { old, new: its } = decisions;
    const decided = this.#decided(input);
    const kind = this.#kindOf(decided.old, decided.its);
    if (kind === "reason" && !this.options.comparesReasons) return;
    if (kind === null && this.options.comparesReasons && !sameReasons(decisions))
      this.#doubts.push({ why: "whether reasons that are put together differ", place: this.#placeOf(its) });
    if (kind === null || this.#differences.has(kind)) return;
    this.#differences.set(kind, {
      kind,
      conditions: path.conditions.map(conditionWords),
      values: shownValues(path, input, this.exploration),
      old: { ...shownDecision(decided.old), place: this.#placeOf(old) },
      new: { ...shownDecision(decided.its), place: this.#placeOf(its) },
      example: new Example(path, input, this.exploration),
    });
  }

  #decided(input: Input): { readonly old: EngineDecision; readonly its: EngineDecision } {
    const { hook } = this.exploration;
    return { old: engineDecision(this.old, hook, input), its: engineDecision(this.its, hook, input) };
  }

  /** How two decisions of the engine differ; null if they do not. */
  #kindOf(old: EngineDecision, its: EngineDecision): DifferenceKind | null {
    const [one, other] = comparedVerdicts(
      { mode: this.old.config.mode, enforced: old.result.enforced_verdict },
      { mode: this.its.config.mode, enforced: its.result.enforced_verdict },
    );
    if (one !== other) return one === 0 ? "denied" : other === 0 ? "allowed" : "errno";
    return one === 0 || reasonOf(old) === reasonOf(its) ? null : "reason";
  }

  #placeOf({ place }: DecisionEnd): string | null {
    return this.exploration.placeOf(place);
  }

  answer(more: readonly Doubt[]): ComparisonAnswer {
    const { hook, paths } = this.exploration;
    const differences = KINDS.flatMap((kind) => this.#differences.get(kind) ?? []);
    const doubts = distinctDoubts([...this.#doubts, ...more]);
    const answer = differences.length > 0 ? "differs" : doubts.length > 0 ? "not decided" : "equal";
    return { hook, answer, differences, doubts, paths: paths.length, confirmed: this.#confirmed };
  }
}

const KINDS: readonly DifferenceKind[] = ["allowed", "denied", "errno", "reason"];

/** Who denies, why, and with which fault. */
function reasonOf({ result: { denied_by: denied }, outcomes }: EngineDecision): string {
  const outcome = denied?.attachment == null ? undefined : outcomes.get(denied.attachment);
  return JSON.stringify([denied?.attachment, outcome?.reason ?? null, outcome?.fault?.code ?? null]);
}

/** Whether two decisions surely have the same reason: texts of the same parts are the same. */
function sameReasons({ old, new: its }: Decisions): boolean {
  if (hasUnknown([...(old.reason ?? []), ...(its.reason ?? [])])) return false;
  const reason = ({ by, reason, fault }: DecisionEnd) => JSON.stringify([by, reason, fault?.code ?? null]);
  return reason(old) === reason(its);
}
