import { Effort, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { CertificatePath } from "../base/signer-identity.js";
import { Window } from "../base/window.js";
import type { Certificate } from "../x509/certificate.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import type { PathRules } from "./path-rule.js";
import { type ValidPath, validatePath } from "./path-validation.js";
import { ANY_POLICIES } from "./policy-graph.js";
import type { CrlIssuers } from "./revocation.js";
import type { Trace } from "./trace.js";

/** The most certificates on one path, including the anchor and the target. */
const MAX_PATH = 12;

/** A valid path, anchor first, with its validation outputs. */
export interface FoundPath extends ValidPath {
  readonly path: readonly Certificate[];
}

/**
 * Searches for a valid path from `target` through `others` to a certificate of `anchors`. If other anchors issued an
 * anchor, the path continues through them: a user who trusts both a certificate and its authority expects the
 * authority's constraints to apply. The search is depth-first; a path contains each pair of key and name once and has
 * at most {@link MAX_PATH} certificates; the message's limit bounds the search. If it fails, the refusal is that of the
 * path that got furthest.
 */
export function findPath(
  target: Certificate,
  anchors: CertificateIndex,
  others: CertificateIndex,
  rules: PathRules,
  window: Window,
  trace: Trace | null = null,
  effort: Effort = new Effort(),
): FoundPath | Refusal {
  return new Search(anchors, others, rules, window, trace, effort, []).from(target);
}

/** How far a path got, and why it failed. */
interface Failure {
  readonly rank: number;
  readonly refusal: Refusal;
}

class Search {
  #best: Failure | null = null;

  /**
   * `effort` is shared with nested searches. `crlIssuers` are the CRL issuers for which a path is being searched
   * already.
   */
  constructor(
    readonly anchors: CertificateIndex,
    readonly others: CertificateIndex,
    readonly rules: PathRules,
    readonly window: Window,
    readonly trace: Trace | null,
    readonly effort: Effort,
    readonly crlIssuers: readonly Certificate[],
  ) {}

  from(target: Certificate): FoundPath | Refusal {
    const found = this.#continue([target]);
    if (found !== null) return found;
    return this.effort.spent || this.#best === null ? tooMuch() : this.#best.refusal;
  }

  /** `path` begins with its highest certificate so far. */
  #continue(path: readonly Certificate[]): FoundPath | null {
    const highest = path[0] as Certificate;
    const anchor = this.anchors.find(highest);
    if (anchor === null) return this.#extend(path);
    const above = this.anchors.issuersOf(anchor).filter((issuer) => !path.some((one) => one.sameHolder(issuer)));
    if (above.length === 0) return this.#validated(path);
    if (path.length >= MAX_PATH) return this.#tooLong(path);
    for (const issuer of above) {
      if (!this.effort.charge("steps", 1)) return null;
      const found = this.#continue([issuer, ...path]);
      if (found !== null) return found;
    }
    return null;
  }

  /** `below` has no anchor yet and begins with its highest certificate. */
  #extend(below: readonly Certificate[]): FoundPath | null {
    const lowest = below[0] as Certificate;
    if (below.length >= MAX_PATH) return this.#tooLong(below);
    let known = false;
    const failed = new Set<string>();
    for (const issuer of [...this.anchors.candidatesFor(lowest), ...this.others.candidatesFor(lowest)]) {
      if (below.some((certificate) => certificate.sameHolder(issuer))) continue;
      known = true;
      // Renewed certificates of one authority have the same key
      const { key } = issuer.publicKey.spki;
      this.effort.charge("bytes", key.length);
      if (!this.effort.charge("steps", 1)) return null;
      if (failed.has(key)) continue;
      const wrong = lowest.signedBy(issuer.publicKey, this.effort);
      if (wrong !== null) {
        failed.add(key);
        this.#failed(below.length, wrong, below);
        continue;
      }
      const found = this.#continue([issuer, ...below]);
      if (found !== null) return found;
    }
    if (!known) this.#failed(0, unknownIssuer(lowest), below);
    return null;
  }

  #validated(path: readonly Certificate[]): FoundPath | null {
    // Block lists hash each certificate
    this.effort.charge(
      "hashed",
      path.reduce((sum, { der }) => sum + 2 * der.length, 0),
    );
    if (!this.effort.charge("rules", path.length)) return null;
    this.trace?.path(path);
    const { rules, window, trace } = this;
    const outcome = validatePath(path, {
      rules,
      window,
      trace,
      crlIssuers: (anchor) => this.#crlIssuersBelow(anchor),
      effort: this.effort,
      trusted: this.anchors.find(path.at(-1) as Certificate) !== null,
    });
    if (!("verdict" in outcome)) return { path, ...outcome };
    this.#failed(MAX_PATH + path.length, outcome, path);
    return null;
  }

  /**
   * RFC 5280 6.3.3 (f): the issuer of a CRL needs a path of its own to the same anchor. Usages and policies do not
   * apply to that path. A CRL may cover its own issuer only if the certificate's distribution point names that issuer
   * (`delegated`).
   */
  #crlIssuersBelow(anchor: Certificate): CrlIssuers {
    return {
      named: (name) => [...this.others.bySubject(name), ...this.anchors.bySubject(name)],
      signed: (crl, candidate) => crl.signedBy(candidate.publicKey, this.effort) === null,
      accept: (candidate, delegated) => {
        if (this.crlIssuers.includes(candidate)) return delegated;
        if (this.crlIssuers.length >= MAX_CRL_DEPTH) return false;
        const rules: PathRules = { ...this.rules, purposes: null, policies: ANY_POLICIES };
        const anchors = new CertificateIndex([anchor]);
        const issuers = [...this.crlIssuers, candidate];
        // A list is checked at the current time, even if a time stamp moves the check of the target, and so is its
        // signer
        const window = new Window(this.window.at);
        const found = new Search(anchors, this.others, rules, window, null, this.effort, issuers).from(candidate);
        this.window.narrow(window);
        return !("verdict" in found);
      },
    };
  }

  #tooLong(path: readonly Certificate[]): null {
    const refusal = refuse("EKEYREJECTED", "path length limit", `a path of more than ${MAX_PATH} certificates`);
    this.#failed(path.length, refusal, path);
    return null;
  }

  #failed(rank: number, refusal: Refusal, path: readonly Certificate[]): void {
    if (this.#best === null || rank > this.#best.rank)
      this.#best = { rank, refusal: { ...refusal, path: identitiesOf(path) } };
  }
}

/** The certificates of a path, as results of verifications name them. */
export function identitiesOf(path: readonly Certificate[]): CertificatePath {
  return path.map(({ signerIdentity }) => signerIdentity);
}

/** The most nested searches for issuers of CRLs. */
const MAX_CRL_DEPTH = 3;

function unknownIssuer(certificate: Certificate): Refusal {
  const reason = `certificate \`${certificate}\` has the issuer \`${certificate.issuer}\`, which is not in the keyring`;
  return refuse("ENOKEY", "RFC 5280 6.1", reason);
}
