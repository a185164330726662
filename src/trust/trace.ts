import type { Certificate } from "./certificate.js";
import type { Refusal } from "./refusal.js";

/** One rule that was asked about one certificate, for `verify --explain`. */
export interface Step {
  /** The certificate's subject. */
  readonly certificate: string;
  readonly section: string;
  readonly rule: string;
  /** What it refused for; null where it was content. */
  readonly refused: string | null;
}

/** Records what rules were asked while a path was looked for; a path that was given up stays in the record. */
export class Trace {
  readonly #paths: { path: readonly string[]; steps: Step[] }[] = [];

  get paths(): readonly { readonly path: readonly string[]; readonly steps: readonly Step[] }[] {
    return this.#paths;
  }

  /** A path begins, its anchor first. */
  path(certificates: readonly Certificate[]): void {
    this.#paths.push({ path: certificates.map(String), steps: [] });
  }

  rule(certificate: Certificate, rule: { section: string; name: string }, refusal: Refusal | null): void {
    const step = {
      certificate: String(certificate),
      section: rule.section,
      rule: rule.name,
      refused: refusal?.reason ?? null,
    };
    this.#paths.at(-1)?.steps.push(step);
  }
}
