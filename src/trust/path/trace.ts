import type { Refusal } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";

/** The result of one rule for one certificate or one signer of a message, for `verify --explain`. */
export interface Step {
  /** The certificate's subject, or the signer's identifier in the message. */
  readonly about: string;
  readonly section: string;
  readonly rule: string;
  /** Why the rule rejected it; null if it passed. */
  readonly rejected: string | null;
}

/** Records the rules that were applied to a message and to the paths that were tried, including paths that failed. */
export class Trace {
  /** Rules that were applied to the message's signers. */
  readonly message: Step[] = [];
  readonly #paths: { path: readonly string[]; steps: Step[] }[] = [];

  get paths(): readonly { readonly path: readonly string[]; readonly steps: readonly Step[] }[] {
    return this.#paths;
  }

  /** Starts the record of a path, which begins with its anchor. */
  path(certificates: readonly Certificate[]): void {
    this.#paths.push({ path: certificates.map(String), steps: [] });
  }

  /** Records the result of a rule for a certificate of the current path. */
  rule(certificate: Certificate, { section, name }: { section: string; name: string }, refusal: Refusal | null): void {
    this.#paths
      .at(-1)
      ?.steps.push({ about: String(certificate), section, rule: name, rejected: refusal?.reason ?? null });
  }

  /**
   * Records the result of a rule for a signer of the message; any `outcome` that is not a refusal means that the rule
   * passed.
   */
  signer(about: string, section: string, rule: string, outcome: unknown): void {
    this.message.push({ about, section, rule, rejected: isRefusal(outcome) ? outcome.reason : null });
  }
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "verdict" in outcome && "reason" in outcome;
}
