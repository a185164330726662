import type { Effort } from "../effort.js";
import type { Refusal } from "../refusal.js";
import type { Trace } from "../trace.js";
import type { Window } from "../window.js";
import type { Certificate } from "./certificate.js";
import { CERTIFICATE, STRICT } from "./certificate-rules.js";
import { NameConstraintState } from "./name-constraints.js";
import type { PathRules, PathState } from "./path-rule.js";
import { ANCHOR, ANCHOR_ISSUER, BELOW, END, ISSUER } from "./path-rules.js";
import { PolicyState } from "./policy-graph.js";
import type { CrlIssuers } from "./revocation.js";

/** What one path is validated in. */
export interface PathContext {
  readonly rules: PathRules;
  readonly window: Window;
  readonly trace: Trace | null;
  /** Who else may have issued a CRL that is about this path, which leads down from `anchor`. */
  readonly crlIssuers: (anchor: Certificate) => CrlIssuers;
  /** What the message may still cost. */
  readonly effort: Effort;
  /** Whether the certificate in question is itself an anchor. */
  readonly trusted: boolean;
}

/**
 * Validates one path by RFC 5280 6.1. `path` begins with the trust anchor and ends with the certificate in question;
 * where it is the anchor alone, that certificate is trusted as itself. The anchor too must be in its time, not blocked,
 * not revoked by who issued it, and an authority if it issues.
 * Gives the policies that hold for a good path (RFC 5280 6.1.6). Throws DER_MALFORMED where an extension is.
 */
export function validatePath(path: readonly Certificate[], context: PathContext): Refusal | ValidPath {
  const anchor = path[0] as Certificate;
  const { rules, window, trace } = context;
  const length = path.length - 1;
  const state: PathState = {
    rules,
    window,
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

/** What a good path is good for. */
export interface ValidPath {
  /** Policies by their identifiers' octets. */
  readonly policies: ReadonlySet<string>;
}
