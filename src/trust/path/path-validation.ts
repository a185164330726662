import type { Effort } from "../base/effort.js";
import type { Refusal } from "../base/refusal.js";
import type { Window } from "../base/window.js";
import type { Certificate } from "../x509/certificate.js";
import { CERTIFICATE, STRICT } from "./certificate-rules.js";
import { NameConstraintState } from "./name-constraints.js";
import type { PathRules, PathState } from "./path-rule.js";
import { ANCHOR, ANCHOR_ISSUER, BELOW, END, ISSUER } from "./path-rules.js";
import { PolicyState } from "./policy-graph.js";
import type { CrlIssuers } from "./revocation.js";
import type { Trace } from "./trace.js";

/** The inputs of one path validation. */
export interface PathContext {
  readonly rules: PathRules;
  readonly window: Window;
  readonly trace: Trace | null;
  /** Candidates for the issuer of a CRL, other than the certificate's own issuer, below `anchor`. */
  readonly crlIssuers: (anchor: Certificate) => CrlIssuers;
  /** The message's remaining limit. */
  readonly effort: Effort;
  /** Whether the target certificate is itself an anchor. */
  readonly trusted: boolean;
}

/**
 * Validates one path by RFC 5280 6.1. `path` begins with the trust anchor and ends with the target; a path of one
 * certificate means that the target is an anchor. The anchor must also be valid at the time, not blocked and not
 * revoked by its own issuer, and must be an authority if it issues. Returns the policies that are valid for the path
 * (RFC 5280 6.1.6). Throws DER_MALFORMED if an extension is malformed.
 */
export function validatePath(path: readonly Certificate[], context: PathContext): Refusal | ValidPath {
  const anchor = path[0] as Certificate;
  const { rules, window, trace } = context;
  const length = path.length - 1;
  const state: PathState = {
    rules,
    window,
    effort: context.effort,
    crlIssuers: context.crlIssuers(anchor),
    crlIssuersBelow: context.crlIssuers,
    trusted: context.trusted,
    length,
    names: new NameConstraintState(context.effort),
    policies: new PolicyState(rules.policies, Math.max(length, 1), context.effort),
    last: false,
    issuer: anchor,
    maxPathLength: length,
  };
  for (const [index, certificate] of path.entries()) {
    state.last = index === length;
    for (const table of [
      index === 0 ? ANCHOR : BELOW,
      CERTIFICATE,
      index > 0 && rules.profile === "strict" ? STRICT : [],
      state.last ? END : index === 0 ? ANCHOR_ISSUER : ISSUER,
    ])
      for (const rule of table) {
        const refusal = rule.check(certificate, state);
        trace?.rule(certificate, rule, refusal);
        if (refusal !== null) return refusal;
      }
    state.issuer = certificate;
  }
  return { policies: state.policies.policies };
}

/** The outputs of a successful validation. */
export interface ValidPath {
  /** The policies, by the contents octets of their identifiers. */
  readonly policies: ReadonlySet<string>;
}
