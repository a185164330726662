import type { AttachmentConfig } from "../config/config.js";
import type { Attachment, Limits, Mode } from "../policy/attachment.js";
import type { Current } from "../policy/current.js";
import type { Domain } from "../policy/domain.js";
import type { LinkedPolicy } from "../policy/linker.js";
import type { MapView, MapWrite } from "../policy/map.js";
import type { Outcome } from "../policy/outcome.js";
import { Scope } from "../policy/scope.js";
import type { Helpers } from "./helpers.js";

/** An attachment of the configuration, bound to its policy, the domain that it runs in, and its helpers. */
export class PolicyAttachment implements Attachment {
  readonly name: string;
  readonly mode: Mode;
  readonly onFault: "refuse" | "allow";
  readonly limits: Limits;
  readonly domain: string;
  readonly policyDigest: string;
  readonly hooks: ReadonlySet<string>;
  readonly scope: Scope;
  /** Why it is not asked for the present, if it is not. */
  private suspension: string | null = null;

  constructor(
    config: AttachmentConfig,
    private readonly policy: LinkedPolicy,
    private readonly runsIn: Domain,
    private readonly helpers: Helpers,
    private readonly maps: MapView,
  ) {
    this.name = config.name;
    this.mode = config.mode;
    this.onFault = config.onFault;
    this.limits = config.limits;
    this.domain = config.domain;
    this.policyDigest = policy.digest;
    this.hooks = new Set(config.hooks ?? policy.hooks);
    this.scope = new Scope(config.scope);
  }

  ask(hook: string, subject: object, current: Current): Outcome {
    if (this.suspension !== null) return suspended(this.suspension);
    this.helpers.begin();
    const outcome = this.runsIn.ask(this.policy, this.limits, hook, subject, current, this.helpers);
    return outcome.answers.length === 0 ? outcome : { ...outcome, answers: this.helpers.explained(outcome.answers) };
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

  /** Takes the attachment out: it answers with the fault SUSPENDED and is not asked, until it is given null. */
  suspend(why: string | null): void {
    this.suspension = why;
  }
}

function suspended(message: string): Outcome {
  return {
    verdict: null,
    fault: { code: "SUSPENDED", message, place: null },
    reason: null,
    notes: [],
    answers: [],
    fuel: 0,
  };
}
