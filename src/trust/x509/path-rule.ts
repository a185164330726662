import type { Refusal } from "../refusal.js";
import type { Window } from "../window.js";
import type { Certificate } from "./certificate.js";
import type { CertificateIndex } from "./certificate-index.js";
import type { NameConstraintState } from "./name-constraints.js";
import type { PolicyRules, PolicyState } from "./policy-graph.js";
import type { Profile } from "./profile.js";
import type { CrlIssuers, Revocation } from "./revocation.js";

/** What a path is held to besides RFC 5280 itself. */
export interface PathRules {
  readonly profile: Profile;
  /** `ignore`: validity periods do not count, as in the kernel. */
  readonly validity: "now" | "ignore";
  /** Key purposes by their identifiers' octets, of which the signer's certificate needs one; null for any. */
  readonly purposes: ReadonlySet<string> | null;
  /** Why a certificate may not be on any path; null where it may. */
  readonly blocked: (certificate: Certificate) => Refusal | null;
  /**
   * Why whoever issued a certificate may not have, as far as the block list knows the issuer; null where nothing is
   * known.
   */
  readonly issuerBlocked: (certificate: Certificate) => Refusal | null;
  /**
   * Certificates of all the keyring's files. Those that issued an anchor are asked about it, whether they are trusted
   * or not.
   */
  readonly authorities: CertificateIndex;
  readonly policies: PolicyRules;
  /** Null where nothing is known of revocation. */
  readonly revocation: Revocation | null;
}

/** One path while it is checked, from the anchor down (RFC 5280 6.1.2). */
export interface PathState {
  readonly rules: PathRules;
  readonly window: Window;
  readonly crlIssuers: CrlIssuers;
  /** The same for paths that lead down from another certificate. */
  readonly crlIssuersBelow: (authority: Certificate) => CrlIssuers;
  /** Whether the certificate in question is itself an anchor. */
  readonly trusted: boolean;
  /** Certificates below the anchor: RFC 5280's n. */
  readonly length: number;
  readonly names: NameConstraintState;
  readonly policies: PolicyState;
  /** Whether the certificate that is looked at is the one in question. */
  last: boolean;
  /** Who issues the certificate that is looked at. */
  issuer: Certificate;
  /** Certificates that are not self-issued and may still follow. */
  maxPathLength: number;
}

/** A rule: its section, its name for a person, and what it refuses. */
export interface PathRule {
  readonly section: string;
  readonly name: string;
  readonly check: (certificate: Certificate, state: PathState) => Refusal | null;
}
