import type { Refusal } from "./refusal.js";
import type { Certificate } from "./x509/certificate.js";

/** One rule that was asked about one certificate or one signer of a message, for `verify --explain`. */
export interface Step {
  /** The certificate's subject, or how the message names the signer. */
  readonly about: string;
  readonly section: string;
  readonly rule: string;
  /** Why it rejected; null where it was content. */
  readonly rejected: string | null;
}

/** Records what rules were asked of a message, and while a path was looked for; a path that was given up stays in the record. */
export class Trace {
  /** What was asked of the message itself. */
  readonly message: Step[] = [];
  readonly #paths: { path: readonly string[]; steps: Step[] }[] = [];

  get paths(): readonly { readonly path: readonly string[]; readonly steps: readonly Step[] }[] {
    return this.#paths;
  }

  /** A path begins, its anchor first. */
  path(certificates: readonly Certificate[]): void {
    this.#paths.push({ path: certificates.map(String), steps: [] });
  }

  /** A rule was asked about a certificate of the path that began last. */
  rule(certificate: Certificate, { section, name }: { section: string; name: string }, refusal: Refusal | null): void {
    this.#paths
      .at(-1)
      ?.steps.push({ about: String(certificate), section, rule: name, rejected: refusal?.reason ?? null });
  }

  /** A rule was asked about a signer of the message; `outcome` is a refusal, or what the rule was content with. */
  signer(about: string, section: string, rule: string, outcome: unknown): void {
    this.message.push({ about, section, rule, rejected: isRefusal(outcome) ? outcome.reason : null });
  }
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "verdict" in outcome && "reason" in outcome;
}
