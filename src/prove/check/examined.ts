import type { HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import type { EvaluatedProperty } from "../property/evaluated-property.js";
import type { End } from "../shared/certificate.js";
import { engineAnswer } from "../witness/engine-answer.js";
import { engineDecision } from "../witness/engine-decision.js";
import type { Input } from "../witness/input.js";
import type { LoadedAttachment } from "../witness/loaded-attachments.js";
import type { CheckedPolicies } from "./checked-policies.js";
import { type Answer, Decision } from "./decision.js";
import { Evaluator, evaluatedPolicy, givenTo } from "./evaluate.js";
import { notEvaluated, type Path } from "./path.js";
import { linear, numberOf, Plain, type Sum } from "./value.js";

/** What a table is about. */
export interface Examined {
  /** What a certificate says of it beside the tree. */
  readonly stated: Readonly<Record<string, unknown>> & { readonly hook: HookName };
  /** How a path ends, by evaluation, and at which line. */
  end(path: Path): { readonly end: End; readonly line: string };
  /** How the engine ends for a witness. */
  ask(input: Input): object;
}

/** The time that the engine has for a witness, in milliseconds: the time of a decision is not what is checked. */
const PATIENCE = 10_000;

/** An attachment by itself, for callers in its scope. */
export function attachmentAt(hook: HookName, policies: CheckedPolicies, its: LoadedAttachment): Examined {
  const { attachment, policy } = its;
  const limits = { ...attachment.limits, timeout: PATIENCE };
  return {
    stated: { attachment: attachment.name, hook, policy: policy.digest },
    end(path) {
      const evaluator = new Evaluator(policies.evaluated(its), path, null, true);
      const { line, verdict, ...answer } = evaluator.answer(hook, givenTo(path));
      return { end: { verdict: verdict && written(verdict), ...answer }, line };
    },
    ask(input) {
      const { verdict, reason, fault } = engineAnswer(policies.domain, policy, limits, hook, input, policies.names);
      return { verdict, reason, fault: fault?.code ?? null };
    },
  };
}

/** All attachments of a hook together. */
export function decisionAt(hook: HookName, policies: CheckedPolicies): Examined {
  return {
    stated: { hook, ...composition(hook, policies) },
    end(path) {
      const { line, verdict, mode: _, ...answer } = new Decision(policies, hook, path, givenTo(path), true).enforced();
      return { end: { verdict: written(verdict), ...answer }, line };
    },
    ask(input) {
      const { result, outcomes } = engineDecision(policies, hook, input);
      const by = result.denied_by?.attachment ?? null;
      const { reason, fault } = (by === null ? undefined : outcomes.get(by)) ?? { ...result.denied_by, fault: null };
      return { verdict: result.enforced_verdict, reason: reason ?? null, fault: fault?.code ?? null, by };
    },
  };
}

/** A property of the decisions at a hook. Its text answers 0 if it holds, and -1 if it does not. */
export function propertyAt(hook: HookName, policies: CheckedPolicies, property: EvaluatedProperty): Examined {
  const evaluated = evaluatedPolicy(property.source);
  return {
    stated: { property: property.name, text: property.digest, hook, ...composition(hook, policies) },
    end(path) {
      const given = givenTo(path);
      const decision = new Decision(policies, hook, path, given);
      const decide = (key: string) => decisionOf(decision, policies.config.mode, key);
      const { verdict } = new Evaluator(evaluated, path, decide).answer(hook, given);
      const holds = verdict === null ? null : numberOf(verdict);
      if (holds !== 0 && holds !== -1) return notEvaluated("a property that fails or returns no boolean");
      return { end: { holds: holds === 0 }, line: "" };
    },
    ask: (input) => ({ holds: property.at(input).holds }),
  };
}

/** How the attachments of a hook are asked, in the words of the configuration. */
function composition(hook: HookName, policies: CheckedPolicies): object {
  const { mode, default: defaults } = policies.config;
  const attachments = policies.at(hook).map(({ attachment, policy }) => {
    const { name, mode, onFault, scope } = attachment;
    return { name, policy: policy.digest, mode, on_fault: onFault, scope };
  });
  return { mode, default: defaults[hook], attachments };
}

function written(verdict: Sum): number | ReturnType<typeof linear> {
  return verdict.of.size === 0 ? Number(verdict.constant) : linear(verdict);
}

/** The modes in which `decide` asks for a decision; null for that of the configuration. */
const MODES = [null, "audit", "enforce"] as const;

/** The decision as a property sees it. Attachments are asked when what it reads depends on them. */
function decisionOf(decision: Decision, its: Mode, key: string): Plain {
  const other = key === "" ? null : MODES.find((mode) => key === JSON.stringify({ changes: {}, mode }));
  const mode = other === undefined ? notEvaluated("`decide` about another caller or mode") : (other ?? its);
  const enforced = () => decision.enforced();
  const verdict = () => numberOf(enforced().verdict);
  const answers = () => decision.answers().map((one) => seen(() => one, {}));
  const applied = () => (mode === "audit" ? 0 : verdict());
  return seen(enforced, { mode: () => mode, enforced_verdict: verdict, verdict: applied, answers });
}

function seen(answer: () => Answer, more: Readonly<Record<string, () => unknown>>): Plain {
  const properties = {
    attachment: () => answer().by,
    mode: () => answer().mode,
    verdict: () => numberOf(answer().verdict),
    reason: () => (answer().reason === null ? null : notEvaluated("the reason of a denial")),
    fault: () => answer().fault,
    ...more,
  };
  return new Plain(new Map(Object.entries(properties)));
}
