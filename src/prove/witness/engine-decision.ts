import { dispatch } from "../../engine/decision/dispatcher.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { DispatchResult } from "../../hooks/decision.js";
import type { Attachment } from "../../policy/attachment.js";
import { AttachmentIndex } from "../../policy/attachment-index.js";
import type { Mode } from "../../policy/model/mode.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { Scope } from "../../policy/scope/scope.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import type { PlacedPolicy } from "../configuration/placed-policy.js";
import type { DecisionEnd } from "../shared/atom.js";
import { cutReason, differs } from "./confirmed-path.js";
import { engineAnswer } from "./engine-answer.js";
import type { Input } from "./input.js";
import type { SymbolValues } from "./symbol-values.js";

/** In milliseconds. The time of one decision says nothing here. */
const PATIENCE = 10_000;

/** The engine's decision about an input, and what the policies in scope answered, by the attachment's name. */
export interface EngineDecision {
  readonly result: DispatchResult;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** Decides about an input with the engine's own scopes, sandbox and dispatcher. Helpers answer as the input says. */
export function engineDecision(
  policies: PlacedPolicies,
  hook: HookName,
  input: Input,
  mode: Mode = policies.config.mode,
): EngineDecision {
  const outcomes = new Map<string, Outcome>();
  const attachments = policies.at(hook).map((one) => attachmentOf(one, policies, input, outcomes));
  const { subject, current } = input;
  const inScope = new AttachmentIndex(attachments).inScope(hook, current);
  const rules = { default: policies.config.default[hook], mode };
  return { result: dispatch({ hook, subject, current }, inScope, rules), outcomes };
}

function attachmentOf(
  { attachment, policy, hooks }: PlacedPolicy,
  { domain, names }: PlacedPolicies,
  input: Input,
  outcomes: Map<string, Outcome>,
): Attachment {
  const { name, mode, onFault, delegate, freeze, limits } = attachment;
  return {
    name,
    mode,
    onFault,
    delegates: delegate,
    freezes: freeze,
    limits,
    domain: attachment.domain,
    policyDigest: policy.digest,
    hooks: new Set(hooks),
    scope: Scope.of(attachment.scope),
    ask(hook) {
      const outcome = engineAnswer(domain, policy, { ...limits, timeout: PATIENCE }, hook as HookName, input, names);
      outcomes.set(name, outcome);
      return outcome;
    },
    // An input has no writes: a policy that writes is not decided
    commit: () => [],
    drop: () => {},
  };
}

/** How the engine's decision differs from what is expected at the end of a path; null if it does not. */
export function decisionDifference(
  end: DecisionEnd,
  values: SymbolValues,
  { result, outcomes }: EngineDecision,
): string | null {
  const { denied_by: denied, enforced_verdict: found } = result;
  const verdict = typeof end.verdict === "number" ? end.verdict : values.number(end.verdict);
  const outcome = end.by === null ? undefined : outcomes.get(end.by);
  const reason = end.reason === null ? null : cutReason(values.text(end.reason));
  return (
    differs("verdict", verdict, found) ??
    differs("denying attachment", end.by, denied?.attachment ?? null) ??
    differs("fault", end.fault?.code ?? null, outcome?.fault?.code ?? null) ??
    differs("reason", reason, outcome === undefined ? (denied?.reason ?? null) : outcome.reason)
  );
}
