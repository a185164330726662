import { type Effort, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Window } from "../base/window.js";
import type { Certificate } from "../x509/certificate.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import { type Crl, ON_HOLD, REMOVED, type RevokedEntry, undetermined } from "../x509/crl.js";
import { ALL_REASONS, type DistributionPoint, directoriesIn } from "../x509/distribution-point.js";
import { KEY_USAGE } from "../x509/extension.js";
import { compareGeneralNames, costOfMatching, type GeneralName } from "../x509/general-name.js";
import type { Comparison, Name } from "../x509/name.js";
import type { Profile } from "../x509/profile.js";

/**
 * `require`: every certificate below an anchor needs current CRLs that cover it for every reason; so does an anchor
 * whose issuer the keyring knows. `if-present`: a certificate on a CRL is revoked, and one that no CRL covers is not.
 */
export type Freshness = "require" | "if-present";

/** Candidates for issuers of CRLs, for one path. */
export interface CrlIssuers {
  readonly named: (name: Name) => readonly Certificate[];
  /** Whether a certificate's key signed a CRL. */
  readonly signed: (crl: Crl, candidate: Certificate) => boolean;
  /**
   * Whether a certificate has a valid path to the same anchor. `delegated`: the certificate under check names it as CRL
   * issuer.
   */
  readonly accept: (candidate: Certificate, delegated: boolean) => boolean;
}

/** The CRLs of one keyring, applied by RFC 5280 6.3. */
export class Revocation {
  readonly #byIssuer = new Map<string, Crl[]>();
  readonly #certificates: CertificateIndex;

  /**
   * `certificates` came with the CRLs and belong to CRL signers that are not the issuers of the certificates covered.
   * `unconfirmed` CRLs are ignored unless a certificate that may sign them did; the function of a CRL is called when
   * one did.
   */
  constructor(
    crls: readonly Crl[],
    certificates: readonly Certificate[],
    readonly freshness: Freshness,
    private readonly unconfirmed: ReadonlyMap<Crl, () => void> = new Map(),
    readonly profile: Profile = "compatible",
  ) {
    for (const crl of [...crls, ...unconfirmed.keys()].toSorted(newestFirst)) {
      const list = this.#byIssuer.get(crl.issuer.key);
      if (list === undefined) this.#byIssuer.set(crl.issuer.key, [crl]);
      else list.push(crl);
    }
    this.#certificates = new CertificateIndex(certificates);
  }

  /** Why a certificate that `issuer` issued is rejected; null if it is not (RFC 5280 6.3.3). Throws DER_MALFORMED. */
  check(
    certificate: Certificate,
    issuer: Certificate,
    issuers: CrlIssuers,
    window: Window,
    effort: Effort,
  ): Refusal | null {
    return this.#ask(certificate, [issuer], issuers, window, effort, this.freshness);
  }

  /**
   * As {@link check}, for an anchor. `authorities` are certificates of the keyring whose keys signed it. If there are
   * none, no CRL of its issuer can be verified; since the keyring names the CRL's file, what it lists is revoked, and
   * nothing else follows from it. An authority whose issuer is unknown needs no CRL. Throws DER_MALFORMED.
   */
  checkAnchor(
    certificate: Certificate,
    authorities: readonly Certificate[],
    issuersBelow: (authority: Certificate) => CrlIssuers,
    window: Window,
    effort: Effort,
  ): Refusal | null {
    const own = authorities.length === 0 && certificate.selfIssued;
    const lists = this.#byIssuer.get(certificate.issuer.key) ?? [];
    if (own && !lists.some((crl) => crl.find(certificate.issuer, certificate.serial) !== null)) return null;
    const isAuthority = certificate.basicConstraints?.authority === true;
    const isOptional = authorities.length === 0 && isAuthority && lists.length === 0;
    const freshness = isOptional || own ? "if-present" : this.freshness;
    const signers = own && certificate.selfSigned ? [certificate] : authorities;
    const issuers = signers[0] === undefined ? NO_ISSUERS : issuersBelow(signers[0]);
    return this.#ask(certificate, signers, issuers, window, effort, freshness);
  }

  #ask(
    certificate: Certificate,
    authorities: readonly Certificate[],
    issuers: CrlIssuers,
    window: Window,
    effort: Effort,
    freshness: Freshness,
  ): Refusal | null {
    const { unconfirmed } = this;
    const inquiry = new Inquiry(
      certificate,
      authorities,
      issuers,
      this.#certificates,
      window,
      effort,
      freshness,
      unconfirmed,
      this.profile,
    );
    for (const point of pointsOf(certificate))
      for (const name of issuersNamedBy(point, certificate)) {
        if (inquiry.reasons === ALL_REASONS) return inquiry.conclude();
        if (!effort.take(name.cost)) return tooMuch();
        if (!name.comparable && !effort.charge("pairs", this.#byIssuer.size)) return tooMuch();
        if (this.#mayConcern(name))
          inquiry.doubt(`the name of \`${name}\` cannot be compared with the issuer of a list`);
        for (const crl of this.#byIssuer.get(name.key) ?? []) {
          if (inquiry.reasons === ALL_REASONS) return inquiry.conclude();
          if (!effort.charge("lists", 1)) return tooMuch();
          const refusal = inquiry.ask(crl, point);
          if (refusal !== null) return refusal;
        }
      }
    return inquiry.conclude();
  }

  /**
   * Whether a name that cannot be compared may equal the issuer of a CRL. The issuers of CRLs can always be compared.
   */
  #mayConcern(name: Name): boolean {
    if (name.comparable) return false;
    for (const [crl] of this.#byIssuer.values()) if (crl?.issuer.compare(name) === "unknown") return true;
    return false;
  }
}

const NO_ISSUERS: CrlIssuers = { named: () => [], signed: () => false, accept: () => false };

/**
 * The check of one certificate against all CRLs that cover it, newest first. A listed certificate is revoked if the
 * CRL's signature is valid, even if the CRL is a delta, is not current, or has an unknown critical extension. Only a
 * newer valid CRL can override that.
 */
class Inquiry {
  /** Reasons that the CRLs so far cover: RFC 5280's reasons_mask. */
  reasons = 0;
  /** Why the status is unknown even if the CRLs cover all reasons; null if there is no such cause. */
  #undecided: string | null = null;
  /** Why the status is unknown if the CRLs do not cover all reasons; null if there is no such cause. */
  #wrong: string | null = null;
  /** Delta CRLs that release the certificate from hold. */
  readonly #releases: Crl[] = [];

  constructor(
    readonly certificate: Certificate,
    /** Certificates of its issuer; empty if the issuer is unknown. */
    readonly authorities: readonly Certificate[],
    readonly issuers: CrlIssuers,
    readonly extra: CertificateIndex,
    readonly window: Window,
    readonly effort: Effort,
    readonly freshness: Freshness,
    readonly unconfirmed: ReadonlyMap<Crl, () => void>,
    readonly profile: Profile,
  ) {}

  /** RFC 5280 6.3.3 (b) to (l) for one CRL. */
  ask(crl: Crl, point: DistributionPoint): Refusal | null {
    const scope = inScope(crl, point, this.certificate, this.effort);
    if (this.effort.spent) return tooMuch();
    if (scope === "no") return null;
    // (d), (e): does this CRL cover a reason that none before it covered?
    const reasons = point.reasons & (crl.scope?.reasons ?? ALL_REASONS);
    if ((reasons & ~this.reasons) === 0) return null;
    const isSigned = this.#signerOf(crl, point.crlIssuer !== null) !== null;
    const confirm = this.unconfirmed.get(crl);
    if (isSigned) confirm?.();
    else if (confirm !== undefined) return null;
    else if (this.authorities.length > 0) return this.doubt(`${crl} is not signed by a permitted issuer`);
    if (scope === "unknown") {
      this.#undecided ??= `${crl} has a scope that cannot be compared`;
      return null;
    }
    const entry = this.#entryIn(crl);
    if (entry !== null) return this.#revoked(entry.revokedAt, entry.reason);
    if (!isSigned) return this.#doubtIfRequired(`no certificate of the keyring can have signed ${crl}`);
    if (crl.unusable) this.#undecided ??= `${crl} has an unknown critical extension`;
    else if (this.profile === "strict" && crl.flaw !== null) this.#undecided ??= `${crl} has ${crl.flaw}`;
    // (h), (i), (j), (k): a delta only adds to its base
    else if (crl.baseNumber !== null) return null;
    else if (this.#isFresh(crl)) this.reasons |= reasons;
    else return this.#doubtIfRequired(`${crl} is not current`);
    return null;
  }

  conclude(): Refusal | null {
    const about = `\`${this.certificate}\``;
    if (this.#undecided !== null) return undetermined(`revocation of ${about} is not known: ${this.#undecided}`);
    if (this.reasons === ALL_REASONS) return null;
    if (this.freshness === "require")
      return undetermined(`no revocation list covers ${about}: ${this.#wrong ?? "there is none"}`);
    return this.#wrong === null ? null : undetermined(`revocation of ${about} is not known: ${this.#wrong}`);
  }

  /** Records why the status is unknown unless other CRLs cover all reasons. */
  doubt(why: string): null {
    this.#wrong ??= why;
    return null;
  }

  #doubtIfRequired(why: string): null {
    return this.freshness === "require" ? this.doubt(why) : null;
  }

  /** The entry of a CRL for the certificate; null if there is none, or if it no longer applies. */
  #entryIn(crl: Crl): RevokedEntry | null {
    const entry = crl.find(this.certificate.issuer, this.certificate.serial);
    if (entry === null || this.#isBefore(entry)) return null;
    const isDelta = crl.baseNumber !== null;
    if (isDelta && entry.reason === REMOVED) {
      if (!crl.unusable && this.#isFresh(crl)) this.#releases.push(crl);
      return null;
    }
    // RFC 5280 5.3.1: a delta can only release a certificate from hold
    const isReleased = entry.reason === ON_HOLD && this.#releases.some((delta) => isDelta || updates(delta, crl));
    return isReleased ? null : entry;
  }

  /** Whether the signature's time stamp precedes an entry and the keyring accepts such signatures. */
  #isBefore({ revokedAt, invalidFrom }: RevokedEntry): boolean {
    const { stamp } = this.window;
    // RFC 5280 5.3.2: the key may have been compromised before it was revoked
    return stamp?.outlivesRevocation === true && stamp.at < Math.min(revokedAt, invalidFrom ?? revokedAt);
  }

  #revoked(at: number, reason: number): Refusal {
    const since = new Date(at).toISOString().slice(0, 10);
    const why = REASONS[reason] ?? `reason ${reason}`;
    return refuse(
      "EKEYREVOKED",
      "RFC 5280 6.3.3 (j)",
      `certificate \`${this.certificate}\` is revoked since ${since}: ${why}`,
    );
  }

  /**
   * RFC 5280 6.3.3 (a)(1): whether a CRL is current. One without nextUpdate is current for ever if fresh CRLs are not
   * required, and never otherwise.
   */
  #isFresh({ thisUpdate, nextUpdate }: Crl): boolean {
    if (!this.window.reached(thisUpdate)) return false;
    return nextUpdate === null ? this.freshness === "if-present" : !this.window.reached(nextUpdate);
  }

  /** RFC 5280 6.3.3 (f) and (g): a certificate that may sign the CRL and whose key did. */
  #signerOf(crl: Crl, delegated: boolean): Certificate | null {
    const own = this.authorities.filter(({ subject }) => subject.equals(crl.issuer));
    const candidates = [...own, ...this.issuers.named(crl.issuer), ...this.extra.bySubject(crl.issuer)];
    const wanted = crl.authorityKeyIdentifier;
    const likely = candidates.filter((candidate) => wanted === null || candidate.subjectKeyIdentifier === wanted);
    for (const candidate of new Set([...likely, ...candidates])) {
      const { keyUsage } = candidate;
      if (keyUsage !== null && (keyUsage & KEY_USAGE.crlSign) === 0) continue;
      if (!this.issuers.signed(crl, candidate)) continue;
      if (own.includes(candidate) || this.issuers.accept(candidate, delegated)) return candidate;
    }
    return null;
  }
}

/** RFC 5280 5.2.4 and 6.3.3 (c): whether a delta can be combined with `base`. */
function updates(delta: Crl, base: Crl): boolean {
  if (delta.baseNumber === null || delta.number === null || base.number === null) return false;
  return (
    delta.baseNumber <= base.number &&
    delta.number > base.number &&
    delta.scope?.key === base.scope?.key &&
    delta.authorityKeyIdentifier === base.authorityKeyIdentifier
  );
}

/** Issuers of CRLs for a distribution point (RFC 5280 6.3.3 (b)(1)). */
function issuersNamedBy({ crlIssuer }: DistributionPoint, { issuer }: Certificate): readonly Name[] {
  return crlIssuer === null ? [issuer] : directoriesIn(crlIssuer);
}

/**
 * `thisUpdate` has a resolution of one second: of two CRLs of the same second, the higher number is newer (RFC 5280
 * 5.2.3). A delta comes before the complete CRL of its number, since the complete one ends the search.
 */
function newestFirst(a: Crl, b: Crl): number {
  if (a.thisUpdate !== b.thisUpdate) return b.thisUpdate - a.thisUpdate;
  const [first, second] = [a.number ?? -1n, b.number ?? -1n];
  if (first !== second) return first < second ? 1 : -1;
  return Number(a.baseNumber === null) - Number(b.baseNumber === null);
}

/** CRLReason (RFC 5280 5.3.1). */
const REASONS: readonly string[] = [
  "no reason given",
  "key compromise",
  "CA compromise",
  "affiliation changed",
  "superseded",
  "cessation of operation",
  "certificate hold",
  "reason 7",
  "removed from CRL",
  "privilege withdrawn",
  "AA compromise",
];

/** The distribution points in a certificate, and the implicit one: its issuer's own CRL (RFC 5280 6.3.3). */
function pointsOf(certificate: Certificate): readonly DistributionPoint[] {
  const own: DistributionPoint = {
    names: () => [{ kind: "directory", value: certificate.issuer }],
    reasons: ALL_REASONS,
    crlIssuer: null,
  };
  return [...certificate.crlDistributionPoints, own];
}

/** RFC 5280 6.3.3 (b). */
function inScope(crl: Crl, point: DistributionPoint, certificate: Certificate, effort: Effort): Comparison {
  const { scope } = crl;
  // (1): a CRL of another issuer must be marked as indirect
  if (point.crlIssuer !== null && scope?.indirect !== true) return "no";
  if (scope === null) return "yes";
  const authority = certificate.basicConstraints?.authority === true;
  if (scope.onlyAttributes || (scope.onlyUsers && authority) || (scope.onlyAuthorities && !authority)) return "no";
  if (scope.names === null) return "yes";
  const names = effort.decode(certificate.issuer.element.length, point.names) ?? point.crlIssuer ?? [];
  return meet(scope.names, names, effort);
}

/** Whether two lists of names share a name; `unknown` if that exceeds the limit. */
function meet(some: readonly GeneralName[], others: readonly GeneralName[], effort: Effort): Comparison {
  const prepared = others.reduce((sum, name) => sum + (name.kind === "directory" ? name.value.cost : 0), 0);
  if (!effort.take(prepared)) return "unknown";
  const each = others.reduce((sum, name) => sum + costOfMatching(name), 0);
  effort.charge("pairs", some.length * others.length);
  if (!effort.take(some.length * each)) return "unknown";
  const pairs = some.flatMap((name) => others.map((other) => compareGeneralNames(name, other)));
  return pairs.includes("yes") ? "yes" : pairs.includes("unknown") ? "unknown" : "no";
}
