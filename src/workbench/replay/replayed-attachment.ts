import { EvidenceOf } from "../../engine/decision/evidence.js";
import { explainedAnswers } from "../../engine/decision/helpers.js";
import type { AttachmentOfRecord, CallOfRecord, VerificationContent } from "../../log/input-records.js";
import type { Attachment } from "../../policy/attachment.js";
import type { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { MapWrite } from "../../policy/maps/map.js";
import type { Current } from "../../policy/model/current.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { Scope, type ScopeRules } from "../../policy/scope/scope.js";
import type { MaskedValues } from "./masked-values.js";
import { type Contents, type Known, RecordedAnswers } from "./recorded-answers.js";
import type { RecordedSubject } from "./recorded-subject.js";
import type { Tracer } from "./tracer.js";

/** The inputs of the decision that is being made again. */
export interface RecordedInputs {
  readonly subject: RecordedSubject;
  readonly hasAnnotations: boolean;
  readonly masked: MaskedValues;
  readonly contents: Contents | null;
  /** The time at which the decision judged certificates, in milliseconds since the epoch. */
  readonly at: number;
  /** The calls of an attachment. */
  readonly callsOf: (attachment: string) => readonly CallOfRecord[];
  readonly verification: (digest: string) => VerificationContent | null;
}

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
    const { subject: recorded, callsOf, verification, hasAnnotations, masked, contents, at } = this.inputs!;
    const calls = callsOf(this.name);
    const answers = new RecordedAnswers(calls, recorded, verification, hasAnnotations, this.known, masked, {
      contents,
      at,
    });
    this.#answers = answers;
    const functions = this.tracer?.functions(this.name, this.policy, answers, recorded) ?? answers;
    const outcome = this.runsIn.ask(this.policy, this.limits, hook, subject, current, functions);
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
