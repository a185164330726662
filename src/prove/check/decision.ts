import { ERRNO } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import { deniedByDefault } from "../../hooks/denial.js";
import type { Mode } from "../../policy/model/mode.js";
import { Scope } from "../../policy/scope/scope.js";
import type { TaskCondition } from "../../policy/scope/task-condition.js";
import type { LoadedAttachment } from "../witness/loaded-attachments.js";
import type { CheckedPolicies } from "./checked-policies.js";
import { Evaluator } from "./evaluate.js";
import { get } from "./expressions.js";
import type { Answered } from "./helpers.js";
import { integerWithin, isEqual } from "./operators.js";
import { notEvaluated, type Path } from "./path.js";
import { constant, numberOf, type Sum, unknownOf } from "./value.js";

/** What counts of an attachment's answer; of the decision, where `by` is null for the default and if nothing denies. */
export interface Answer extends Answered {
  readonly by: string | null;
  readonly mode: Mode;
  readonly verdict: Sum;
}

const DENIED = constant(-BigInt(ERRNO.EPERM));
const ALLOWED: Answer = { by: null, mode: "enforce", verdict: constant(0n), reason: null, fault: null, line: "" };

/** A decision of all attachments of a hook about a caller, on one path. Each is asked when something depends on it. */
export class Decision {
  readonly #answers = new Map<LoadedAttachment, Answer | null>();

  constructor(
    private readonly policies: CheckedPolicies,
    private readonly hook: HookName,
    private readonly path: Path,
    private readonly given: readonly [subject: unknown, current: unknown],
    /** Whether there is only this decision, in which a policy without others can write to maps. */
    private readonly canWrite = false,
  ) {}

  /** The answers of the attachments that have the caller in their scope. */
  answers(): readonly Answer[] {
    return this.policies.at(this.hook).flatMap((one) => this.#answer(one) ?? []);
  }

  /** What is enforced: the first denial; without one the default, unless an enforcing attachment answered. */
  enforced(): Answer {
    const rule = this.policies.config.default[this.hook];
    let [isAsked, isAnswered] = [false, false];
    for (const one of this.policies.at(this.hook)) {
      const answer = one.attachment.mode === "enforce" ? this.#answer(one) : null;
      if (answer === null) continue;
      if (numberOf(answer.verdict) !== 0) return answer;
      isAsked = true;
      isAnswered ||= answer.fault === null;
    }
    if (isAnswered || rule !== "deny") return ALLOWED;
    return { ...ALLOWED, verdict: DENIED, reason: [deniedByDefault(this.hook, rule, isAsked).reason] };
  }

  #answer(one: LoadedAttachment): Answer | null {
    const known = this.#answers.get(one);
    if (known !== undefined) return known;
    const { name, mode, onFault, scope } = one.attachment;
    let answer: Answer | null = null;
    if (holds(Scope.of(scope).condition, this.given[1], this.path)) {
      const isAlone = this.canWrite && this.policies.at(this.hook).length === 1;
      const evaluator = new Evaluator(this.policies.evaluated(one), this.path, null, isAlone);
      const { verdict, ...answered } = evaluator.answer(this.hook, this.given);
      answer = { by: name, mode, verdict: verdict ?? (onFault === "allow" ? ALLOWED.verdict : DENIED), ...answered };
    }
    this.#answers.set(one, answer);
    return answer;
  }
}

/** Whether a condition of a scope holds for the caller. */
function holds(condition: TaskCondition, current: unknown, path: Path): boolean {
  if ("all" in condition) return condition.all.every((one) => holds(one, current, path));
  if ("any" in condition) return condition.any.some((one) => holds(one, current, path));
  if ("not" in condition) return !holds(condition.not, current, path);
  /** A part of the caller; null also if its container is. */
  const part = (name: string) =>
    name.split(".").reduce((at, key) => (at === null ? null : get(path, at, key)), current);
  if ("isNull" in condition) return part(condition.isNull) === null;
  if ("uid" in condition) {
    const [first, last] = condition.uid.map(BigInt) as [bigint, bigint];
    return integerWithin(path, part("uid"), first, last) !== null;
  }
  if ("text" in condition) {
    const its = unknownOf(part(condition.text));
    if (its?.kind !== "text" || !/[*?]/.test(condition.glob))
      return isEqual(path, part(condition.text), condition.glob);
    return path.ask({ kind: "matches", of: its.name, text: condition.glob });
  }
  const labels = part("container.labels");
  const value = labels === null ? undefined : get(path, labels, condition.label);
  if (value === undefined || condition.is === "present") return value !== undefined;
  if (condition.is !== "among") return notEvaluated(`the label \`${condition.label}\` as a number in a scope`);
  return condition.values.some((text) => isEqual(path, value, text));
}
