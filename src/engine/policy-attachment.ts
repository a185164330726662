import type { AttachmentConfig } from "../config/config.js";
import type { Attachment, Limits } from "../policy/attachment.js";
import type { Current } from "../policy/current.js";
import type { Domain } from "../policy/domain.js";
import type { LinkedPolicy } from "../policy/linker.js";
import type { MapView, MapWrite } from "../policy/map.js";
import type { Mode } from "../policy/mode.js";
import type { Fault, Outcome } from "../policy/outcome.js";
import { Scope } from "../policy/scope.js";
import { EvidenceOf, wordsIn } from "./evidence.js";
import type { Helpers } from "./helpers.js";
import type { DecisionWatch } from "./watch.js";

/** An attachment of the configuration, bound to its policy, the domain that it runs in, and its helpers. */
export class PolicyAttachment implements Attachment {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "refuse" | "allow";
  readonly delegates: boolean;
  readonly freezes: boolean;
  readonly limits: Limits;
  readonly domain: string;
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  private readonly evidence: EvidenceOf;
  /** What it answers without being asked, for the present. */
  private standing: Fault | null = null;

  constructor(
    config: AttachmentConfig,
    private readonly policy: LinkedPolicy,
    private readonly runsIn: Domain,
    private readonly helpers: Helpers,
    private readonly maps: MapView,
    private readonly watched: { readonly watch: DecisionWatch; readonly number: number } | null = null,
  ) {
    this.name = config.name;
    this.mode = config.mode;
    this.onFault = config.onFault;
    this.delegates = config.delegate;
    this.freezes = config.freeze;
    this.limits = config.limits;
    this.domain = config.domain;
    this.hooks = new Set(config.hooks ?? policy.hooks);
    this.scope = new Scope(config.scope);
    this.evidence = new EvidenceOf(policy.source);
  }

  get policyDigest(): string {
    return this.policy.digest;
  }

  /** Has the policy's runtime ready before it is asked. */
  prepare(): void {
    this.runsIn.prepare(this.policy, this.limits);
  }

  ask(hook: string, subject: object, current: Current): Outcome {
    if (this.standing !== null) return unasked(this.standing);
    this.helpers.begin();
    if (this.watched !== null) {
      // making a runtime is the engine's work, and not on the policy's time
      this.prepare();
      this.watched.watch.ask(this.watched.number, this.limits.wall);
    }
    const outcome = this.runsIn.ask(this.policy, this.limits, hook, subject, current, this.helpers);
    this.watched?.watch.answered();
    if (outcome.verdict === 0 && outcome.answers.length === 0) return outcome;
    return { ...outcome, answers: this.helpers.explained(outcome.answers), evidence: this.evidence.in(subject) };
  }

  /** Whether the policy's text has a word as a property, a string or in a pattern. */
  names(word: string): boolean {
    return wordsIn(this.policy.source).has(word);
  }

  commit(): readonly MapWrite[] {
    return this.maps.commit();
  }

  drop(): void {
    this.maps.drop();
  }

  /** Repeats what was committed by this attachment in an engine before this one. */
  apply(writes: readonly MapWrite[]): void {
    this.maps.apply(writes);
  }

  /** Has it answer with a fault and not be asked, until it is given null. */
  stand(fault: Fault | null): void {
    this.standing = fault;
  }
}

function unasked(fault: Fault): Outcome {
  return { verdict: null, fault, reason: null, unusedReasons: [], notes: [], answers: [], steps: 0 };
}
