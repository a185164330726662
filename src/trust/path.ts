import type { Certificate } from "./certificate.js";
import type { CertificateIndex } from "./certificate-index.js";
import { type PathRules, validatePath } from "./path-rules.js";
import { type Refusal, refuse } from "./refusal.js";
import type { Trace } from "./trace.js";
import type { Window } from "./window.js";

/** Certificates on one path, the anchor's and the one in question included. */
export const MAX_PATH = 12;
/** Issuers that are tried for one certificate in question, over all paths: each costs a verification. */
export const MAX_TRIES = 40;

/** What a search for a path came to. */
export interface PathResult {
  /** Anchor first; null where there is no good one. */
  readonly path: readonly Certificate[] | null;
  readonly refusal: Refusal | null;
}

/**
 * Looks for a path from `target` to a certificate of `anchors`, through `others`, that validates. Depth first, issuers that the
 * authority key identifier points at before others of that name, no key of one name twice on a path, within {@link MAX_PATH} and
 * {@link MAX_TRIES}. The refusal of a search that failed is that of the path that came furthest.
 */
export function findPath(
  target: Certificate,
  anchors: CertificateIndex,
  others: CertificateIndex,
  rules: PathRules,
  window: Window,
  trace: Trace | null = null,
): PathResult {
  return new Search(anchors, others, rules, window, trace).from(target);
}

/** How far a path came, and what ended it. */
interface Failure {
  readonly rank: number;
  readonly refusal: Refusal;
}

class Search {
  #tries = 0;
  #best: Failure | null = null;

  constructor(
    readonly anchors: CertificateIndex,
    readonly others: CertificateIndex,
    readonly rules: PathRules,
    readonly window: Window,
    readonly trace: Trace | null,
  ) {}

  from(target: Certificate): PathResult {
    const path = this.#isAnchor(target) ? this.#validated([target]) : this.#extend([target]);
    if (path !== null) return { path, refusal: null };
    if (this.#tries > MAX_TRIES) {
      const reason = `no path from \`${target}\` to the keyring among the first ${MAX_TRIES} candidates`;
      return { path: null, refusal: this.#best?.refusal ?? refuse("EKEYREJECTED", "path search limit", reason) };
    }
    return { path: null, refusal: (this.#best as Failure).refusal };
  }

  /** `below` is a path without its anchor, its highest certificate first. */
  #extend(below: readonly Certificate[]): readonly Certificate[] | null {
    const lowest = below[0] as Certificate;
    if (below.length >= MAX_PATH) {
      this.#failed(
        below.length,
        refuse("EKEYREJECTED", "path length limit", `a path of more than ${MAX_PATH} certificates`),
      );
      return null;
    }
    let known = false;
    for (const issuer of this.#issuersOf(lowest)) {
      if (below.some((certificate) => sameHolder(certificate, issuer))) continue;
      known = true;
      if (++this.#tries > MAX_TRIES) return null;
      const wrong = lowest.signedBy(issuer.publicKey);
      if (wrong !== null) {
        this.#failed(below.length, wrong);
        continue;
      }
      const path = [issuer, ...below];
      const found = this.#isAnchor(issuer) ? this.#validated(path) : this.#extend(path);
      if (found !== null) return found;
      if (this.#tries > MAX_TRIES) return null;
    }
    if (!known)
      this.#failed(
        0,
        refuse(
          "ENOKEY",
          "RFC 5280 6.1",
          `certificate \`${lowest}\` is of issuer \`${lowest.issuer}\`, whom the keyring does not know`,
        ),
      );
    return null;
  }

  #validated(path: readonly Certificate[]): readonly Certificate[] | null {
    this.trace?.path(path);
    const refusal = validatePath(path, this.rules, this.window, this.trace);
    if (refusal === null) return path;
    this.#failed(MAX_PATH + path.length, refusal);
    return null;
  }

  /** Candidates by name: those whose key identifier is the one asked for first, anchors before others. */
  *#issuersOf(certificate: Certificate): Iterable<Certificate> {
    const wanted = certificate.authorityKeyIdentifier;
    const named = [this.anchors.bySubject(certificate.issuer), this.others.bySubject(certificate.issuer)];
    if (wanted !== null)
      for (const list of named) for (const issuer of list) if (issuer.subjectKeyIdentifier === wanted) yield issuer;
    for (const list of named)
      for (const issuer of list) if (wanted === null || issuer.subjectKeyIdentifier !== wanted) yield issuer;
  }

  #isAnchor(certificate: Certificate): boolean {
    return this.anchors.has(certificate);
  }

  #failed(rank: number, refusal: Refusal): void {
    if (this.#best === null || rank > this.#best.rank) this.#best = { rank, refusal };
  }
}

/** RFC 4158 5.2: a loop is the same key under the same name again. */
function sameHolder(a: Certificate, b: Certificate): boolean {
  return a === b || (a.publicKey.spki.equals(b.publicKey.spki) && a.subject.equals(b.subject));
}
