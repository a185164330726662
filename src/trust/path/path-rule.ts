import type { Effort } from "../base/effort.js";
import type { Refusal } from "../base/refusal.js";
import type { Window } from "../base/window.js";
import type { Certificate } from "../x509/certificate.js";
import type { CertificateIndex } from "../x509/certificate-index.js";
import type { Profile } from "../x509/profile.js";
import type { NameConstraintState } from "./name-constraints.js";
import type { PolicyRules, PolicyState } from "./policy-graph.js";
import type { CrlIssuers, Revocation } from "./revocation.js";

/** Requirements on a path in addition to RFC 5280. */
export interface PathRules {
  readonly profile: Profile;
  /** `ignore`: validity periods are not checked, as in the kernel. */
  readonly validity: "now" | "ignore";
  /**
   * Key purposes, by the contents octets of their identifiers, of which the signer's certificate needs one; null for
   * any.
   */
  readonly purposes: ReadonlySet<string> | null;
  /** Why a certificate is blocked; null if it is not. */
  readonly blocked: (certificate: Certificate) => Refusal | null;
  /** Why the issuer of a certificate is blocked; null if the block list does not contain it. */
  readonly issuerBlocked: (certificate: Certificate) => Refusal | null;
  /**
   * Certificates of all the keyring's files. If any of them issued an anchor, the anchor is checked against them,
   * trusted or not.
   */
  readonly authorities: CertificateIndex;
  readonly policies: PolicyRules;
  /** Null if there are no CRLs and none are required. */
  readonly revocation: Revocation | null;
}

/** State of one path validation, from the anchor down (RFC 5280 6.1.2). */
export interface PathState {
  readonly rules: PathRules;
  readonly window: Window;
  /** The message's remaining limit. */
  readonly effort: Effort;
  readonly crlIssuers: CrlIssuers;
  /** The candidates for paths below another certificate. */
  readonly crlIssuersBelow: (authority: Certificate) => CrlIssuers;
  /** Whether the target certificate is itself an anchor. */
  readonly trusted: boolean;
  /** Number of certificates below the anchor: RFC 5280's n. */
  readonly length: number;
  readonly names: NameConstraintState;
  readonly policies: PolicyState;
  /** Whether the current certificate is the target. */
  last: boolean;
  /** Issuer of the current certificate. */
  issuer: Certificate;
  /** RFC 5280's max_path_length: how many certificates that are not self-issued may follow. */
  maxPathLength: number;
}

/** A rule: its section, its name for messages, and its check. */
export interface PathRule {
  readonly section: string;
  readonly name: string;
  readonly check: (certificate: Certificate, state: PathState) => Refusal | null;
}
