import { EvidenceOf } from "../../engine/decision/evidence.js";
import { explainedAnswers } from "../../engine/decision/helpers.js";
import type { AttachmentOfRecord } from "../../log/input-records.js";
import type { Attachment } from "../../policy/attachment.js";
import type { CachedPolicy, Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { MapWrite } from "../../policy/maps/map.js";
import type { Current } from "../../policy/model/current.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { Scope, type ScopeRules } from "../../policy/scope/scope.js";
import { type Known, RecordedAnswers } from "./recorded-answers.js";
import type { RecordedInputs } from "./recorded-inputs.js";
import type { Tracer } from "./tracer.js";

/** An attachment whose helper calls are answered from the record of a decision. */
export class ReplayedAttachment implements Attachment {
  readonly name: string;
  readonly mode: Attachment["mode"];
  readonly onFault: Attachment["onFault"];
  readonly delegates: boolean;
  readonly freezes: boolean;
  readonly limits: Attachment["limits"];
  readonly domain: string;
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  inputs: RecordedInputs | null = null;
  readonly #evidence: EvidenceOf;
  #answers: RecordedAnswers | null = null;
  /** The domain's entry for the policy, once it has been asked. */
  #place: CachedPolicy | null = null;

  constructor(
    attachment: AttachmentOfRecord,
    private readonly policy: LinkedPolicy,
    private readonly runsIn: Domain,
    private readonly known: Known,
    private readonly tracer: Tracer | null = null,
  ) {
    this.name = attachment.name;
    this.mode = attachment.mode;
    this.onFault = attachment.on_fault;
    this.delegates = attachment.delegate;
    this.freezes = attachment.freeze;
    // A replay is not live: a slow machine must not change a decision. Steps still limit a policy.
    this.limits = { ...(tracer?.limits(attachment) ?? attachment.limits), timeout: TIMEOUT };
    this.domain = attachment.domain;
    this.hooks = new Set(attachment.hooks);
    this.#evidence = new EvidenceOf(policy.source);
    this.scope = Scope.of(attachment.scope as ScopeRules);
  }

  get policyDigest(): string {
    return this.policy.digest;
  }

  /** The input that the last call of {@link ask} lacked, for people; null if it lacked none. */
  get missing(): string | null {
    return this.#answers?.missing ?? null;
  }

  ask(hook: string, subject: object, current: Current): Outcome {
    const inputs = this.inputs!;
    const { subject: recorded } = inputs;
    const answers = new RecordedAnswers(inputs.callsOf(this.name), inputs, this.known);
    this.#answers = answers;
    const functions = this.tracer?.functions(this.name, this.policy, answers, recorded) ?? answers;
    this.#place ??= this.runsIn.cached(this.policy, this.limits);
    const outcome = this.runsIn.askCached(this.#place, this.limits, hook, subject, current, functions);
    if (outcome.verdict === 0 && outcome.answers.length === 0) return outcome;
    return {
      ...outcome,
      answers: explainedAnswers(outcome.answers, answers.reasons, subject),
      evidence: this.#evidence.in(subject),
    };
  }

  commit(): readonly MapWrite[] {
    return this.#answers?.writes() ?? [];
  }

  /** Nothing to do: each call of {@link ask} begins without changes, and {@link missing} stays. */
  drop(): void {}
}

/** In milliseconds. */
const TIMEOUT = 10_000;
