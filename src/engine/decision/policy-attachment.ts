import type { AttachmentConfig } from "../../config/attachments.js";
import type { Attachment, Limits } from "../../policy/attachment.js";
import { type CachedPolicy, type Domain, type ExampleSubjects, NO_EXAMPLES } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import type { Point } from "../../policy/linker/points.js";
import type { MapWrite } from "../../policy/maps/map.js";
import type { MapView } from "../../policy/maps/map-view.js";
import { type Current, UNKNOWN_ANNOTATIONS } from "../../policy/model/current.js";
import type { Mode } from "../../policy/model/mode.js";
import type { Fault, Outcome } from "../../policy/model/outcome.js";
import { Scope } from "../../policy/scope/scope.js";
import type { DecisionWatch } from "../handover/watch.js";
import { EvidenceOf, wordsIn } from "./evidence.js";
import type { Helpers } from "./helpers.js";
import type { RunningDecision } from "./running-decision.js";

/** An attachment of the configuration with its policy, its domain, and its helpers. */
export class PolicyAttachment implements Attachment {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "deny" | "allow";
  readonly delegates: boolean;
  readonly freezes: boolean;
  readonly limits: Limits;
  readonly domain: string;
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  private readonly evidence: EvidenceOf;
  private place: CachedPolicy | null = null;
  /** The fault that it currently returns without being asked; null if it is asked. */
  private skipFault: Fault | null = null;

  constructor(
    config: AttachmentConfig,
    private readonly policy: LinkedPolicy,
    private readonly runsIn: Domain,
    private readonly helpers: Helpers,
    private readonly maps: MapView,
    /** Its index in the configuration. */
    private readonly number: number,
    private readonly running: RunningDecision,
    private readonly watch: DecisionWatch | null,
  ) {
    this.name = config.name;
    this.mode = config.mode;
    this.onFault = config.onFault;
    this.delegates = config.delegate;
    this.freezes = config.freeze;
    this.limits = config.limits;
    this.domain = config.domain;
    this.hooks = new Set(config.hooks ?? policy.hooks);
    this.scope = Scope.of(config.scope);
    this.evidence = new EvidenceOf(policy.source);
  }

  get policyDigest(): string {
    return this.policy.digest;
  }

  get points(): readonly Point[] {
    return this.policy.points;
  }

  /** The domain's cache entry for its runtime. */
  get cached(): CachedPolicy {
    this.place ??= this.runsIn.cached(this.policy, this.limits);
    return this.place;
  }

  /** Creates the policy's runtime before it is asked, with a deadline of its own that the watcher enforces. */
  prepare(examples: ExampleSubjects = NO_EXAMPLES): void {
    if (this.cached.runtime !== null) return;
    this.watch?.prepare(this.number);
    this.runsIn.prepare(this.cached, examples);
    this.watch?.answered();
  }

  ask(hook: string, subject: object, current: Current): Outcome {
    if (this.skipFault !== null) return unasked(this.skipFault);
    this.helpers.begin(current.container?.annotations !== UNKNOWN_ANNOTATIONS);
    const cached = this.place ?? this.cached;
    if (this.watch !== null) {
      if (cached.runtime === null) this.prepare();
      this.watch.ask(this.number, this.limits.timeout);
    }
    const outcome = this.runsIn.askCached(cached, this.limits, hook, subject, current, this.helpers);
    this.watch?.answered();
    const { dependencies, calls } = this.helpers;
    const isUnexplained = dependencies === null && outcome.verdict === 0 && outcome.answers.length === 0;
    if (isUnexplained && calls === null) return outcome;
    if (outcome.harmful) this.running.harmful.push(this.number);
    // Copied one by one: V8 creates and reads objects from a spread more slowly
    return {
      verdict: outcome.verdict,
      fault: outcome.fault,
      reason: outcome.reason,
      unusedReasons: outcome.unusedReasons,
      notes: outcome.notes,
      answers: isUnexplained ? outcome.answers : this.helpers.explained(outcome.answers, subject),
      steps: outcome.steps,
      harmful: outcome.harmful,
      evidence: isUnexplained ? undefined : this.evidence.in(subject),
      dependencies: dependencies ?? undefined,
      calls: calls?.calls,
      readsAnnotations: calls?.readsAnnotations,
    } satisfies Record<keyof Outcome, unknown>;
  }

  /** Whether the policy's text contains a word as a property, in a string or in a pattern. */
  names(word: string): boolean {
    return wordsIn(this.policy.source).has(word);
  }

  commit(): readonly MapWrite[] {
    return this.maps.commit();
  }

  drop(): void {
    this.maps.drop();
  }

  /** Makes the attachment return `fault` without being asked; null makes it ask the policy again. */
  skipWith(fault: Fault | null): void {
    this.skipFault = fault;
  }
}

function unasked(fault: Fault): Outcome {
  return { verdict: null, fault, reason: null, unusedReasons: [], notes: [], answers: [], steps: 0 };
}
