import type { AttachmentConfig } from "../../config/attachments.js";
import type { Config } from "../../config/config.js";
import { dispatch } from "../../engine/decision/dispatcher.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { DispatchResult } from "../../hooks/decision.js";
import type { Attachment } from "../../policy/attachment.js";
import { AttachmentIndex } from "../../policy/attachment-index.js";
import type { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { Mode } from "../../policy/model/mode.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { Scope } from "../../policy/scope/scope.js";
import { type AskedNames, engineAnswer } from "./engine-answer.js";
import type { Input } from "./input.js";

/** An attachment with its policy. */
export interface AskedAttachment {
  readonly attachment: AttachmentConfig;
  readonly policy: LinkedPolicy;
  readonly hooks: readonly HookName[];
}

/** A configuration whose attachments are asked, and the sandbox in which they are. */
export interface AskedConfiguration {
  readonly config: Config;
  readonly names: AskedNames;
  readonly domain: Domain;
  at(hook: HookName): readonly AskedAttachment[];
}

/** In milliseconds. The time of one decision says nothing here. */
const PATIENCE = 10_000;

/** The engine's decision about an input, and what the policies in scope answered, by the attachment's name. */
export interface EngineDecision {
  readonly result: DispatchResult;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** Decides about an input with the engine's own scopes, sandbox and dispatcher. Helpers answer as the input says. */
export function engineDecision(
  policies: AskedConfiguration,
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
  { attachment, policy, hooks }: AskedAttachment,
  { domain, names }: AskedConfiguration,
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
