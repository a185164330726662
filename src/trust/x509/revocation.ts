import { type Refusal, refuse } from "../refusal.js";
import type { Window } from "../window.js";
import type { Certificate } from "./certificate.js";
import { CertificateIndex } from "./certificate-index.js";
import { type Crl, ON_HOLD, REMOVED, type RevokedEntry, undetermined } from "./crl.js";
import { ALL_REASONS, type DistributionPoint, directoriesIn } from "./distribution-point.js";
import { KEY_USAGE } from "./extension.js";
import { compareGeneralNames, type GeneralName } from "./general-name.js";
import type { Comparison, Name } from "./name.js";
import type { Profile } from "./profile.js";

/**
 * `require`: every certificate that somebody issued needs CRLs, in their time, that speak of it for every reason; of
 * anchors that issue, those whose own issuer the keyring knows. `if-present`: what a CRL lists is revoked, and a
 * certificate that none speaks of is not.
 */
export type Freshness = "require" | "if-present";

/** Certificates that may have issued a CRL, for one path. */
export interface CrlIssuers {
  readonly named: (name: Name) => readonly Certificate[];
  /** Whether a CRL's signature is by the key of a certificate. */
  readonly signed: (crl: Crl, candidate: Certificate) => boolean;
  /**
   * Whether a certificate has a good path from the same anchor. `delegated`: the certificate in question names it as
   * CRL issuer.
   */
  readonly accept: (candidate: Certificate, delegated: boolean) => boolean;
}

/** The revocation lists of one keyring, asked by RFC 5280 6.3. */
export class Revocation {
  readonly #byIssuer = new Map<string, Crl[]>();
  readonly #certificates: CertificateIndex;

  /**
   * `certificates` came with the lists: who signed them, where that is not who issued the certificates. `unconfirmed`
   * are more lists, ignored if they are not signed by whom they may be; the function of a list is called when it is.
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

  /**
   * Why a certificate that `issuer` issued is not to be used; null where it may be. RFC 5280 6.3.3. Throws
   * DER_MALFORMED.
   */
  check(certificate: Certificate, issuer: Certificate, issuers: CrlIssuers, window: Window): Refusal | null {
    return this.#ask(certificate, [issuer], issuers, window, this.freshness);
  }

  /**
   * The same for a certificate that is trusted as itself. `authorities` are certificates of the keyring whose keys
   * signed it. Where there are none, a list of its issuer cannot be verified: as the keyring names its file, what it
   * lists is revoked, and it says no more. Nothing is required of an authority that nobody here issued. Throws
   * DER_MALFORMED.
   */
  checkAnchor(
    certificate: Certificate,
    authorities: readonly Certificate[],
    issuersBelow: (authority: Certificate) => CrlIssuers,
    window: Window,
  ): Refusal | null {
    const own = authorities.length === 0 && certificate.selfIssued;
    const lists = this.#byIssuer.get(certificate.issuer.key) ?? [];
    if (own && !lists.some((crl) => crl.find(certificate.issuer, certificate.serial) !== null)) return null;
    const isAuthority = certificate.basicConstraints?.authority === true;
    const isOptional = authorities.length === 0 && isAuthority && lists.length === 0;
    const freshness = isOptional || own ? "if-present" : this.freshness;
    const signers = own && certificate.selfSigned ? [certificate] : authorities;
    const issuers = signers[0] === undefined ? NO_ISSUERS : issuersBelow(signers[0]);
    return this.#ask(certificate, signers, issuers, window, freshness);
  }

  #ask(
    certificate: Certificate,
    authorities: readonly Certificate[],
    issuers: CrlIssuers,
    window: Window,
    freshness: Freshness,
  ): Refusal | null {
    const { unconfirmed } = this;
    const inquiry = new Inquiry(
      certificate,
      authorities,
      issuers,
      this.#certificates,
      window,
      freshness,
      unconfirmed,
      this.profile,
    );
    for (const point of pointsOf(certificate))
      for (const name of issuersNamedBy(point, certificate)) {
        if (inquiry.reasons === ALL_REASONS) return inquiry.conclude();
        if (this.#mayConcern(name))
          inquiry.doubt(`the name of \`${name}\` cannot be compared with that of a list's issuer`);
        for (const crl of this.#byIssuer.get(name.key) ?? []) {
          if (inquiry.reasons === ALL_REASONS) return inquiry.conclude();
          const refusal = inquiry.ask(crl, point);
          if (refusal !== null) return refusal;
        }
      }
    return inquiry.conclude();
  }

  /** Whether a name that cannot be compared may be that of a list's issuer. The lists' own can be. */
  #mayConcern(name: Name): boolean {
    if (name.comparable) return false;
    for (const [crl] of this.#byIssuer.values()) if (crl?.issuer.compare(name) === "unknown") return true;
    return false;
  }
}

const NO_ISSUERS: CrlIssuers = { named: () => [], signed: () => false, accept: () => false };

/**
 * One certificate whose revocation is looked into, over all the lists that speak of it, the newest first. What a list
 * names is revoked, whatever is wrong with the list but its signature: that it is a delta, is out of its time, or has a
 * critical extension that is not known. Only a list that is newer and good speaks against it.
 */
class Inquiry {
  /** Reasons that the lists so far speak for: RFC 5280's reasons_mask. */
  reasons = 0;
  /** Why no older list can answer. */
  #undecided: string | null = null;
  /** Why the answer, if there is none, is not known. */
  #wrong: string | null = null;
  /** Delta lists that release the certificate from being on hold. */
  readonly #releases: Crl[] = [];

  constructor(
    readonly certificate: Certificate,
    /** Certificates of who issued it; none where nobody knows. */
    readonly authorities: readonly Certificate[],
    readonly issuers: CrlIssuers,
    readonly extra: CertificateIndex,
    readonly window: Window,
    readonly freshness: Freshness,
    readonly unconfirmed: ReadonlyMap<Crl, () => void>,
    readonly profile: Profile,
  ) {}

  /** RFC 5280 6.3.3 (b) to (l) for one list. */
  ask(crl: Crl, point: DistributionPoint): Refusal | null {
    const scope = inScope(crl, point, this.certificate);
    if (scope === "no") return null;
    // (d), (e): does this list speak for a reason that none before it did?
    const reasons = point.reasons & (crl.scope?.reasons ?? ALL_REASONS);
    if ((reasons & ~this.reasons) === 0) return null;
    const isSigned = this.#signerOf(crl, point.crlIssuer !== null) !== null;
    const confirm = this.unconfirmed.get(crl);
    if (isSigned) confirm?.();
    else if (confirm !== undefined) return null;
    else if (this.authorities.length > 0) return this.doubt(`${crl} is not signed by whom it may be`);
    if (scope === "unknown") {
      this.#undecided ??= `${crl} has a scope that cannot be compared`;
      return null;
    }
    const entry = this.#entryIn(crl);
    if (entry !== null) return this.#revoked(entry.revokedAt, entry.reason);
    if (!isSigned) return this.#doubtIfRequired(`nobody in the keyring can have signed ${crl}`);
    if (crl.unusable) this.#undecided ??= `${crl} has a critical extension that is not known`;
    else if (this.profile === "strict" && crl.flaw !== null) this.#undecided ??= `${crl} has ${crl.flaw}`;
    // (h), (i), (j), (k): a delta adds to what its base says
    else if (crl.baseNumber !== null) return null;
    else if (this.#isFresh(crl)) this.reasons |= reasons;
    else return this.#doubtIfRequired(`${crl} is out of its time`);
    return null;
  }

  conclude(): Refusal | null {
    const about = `\`${this.certificate}\``;
    if (this.#undecided !== null) return undetermined(`revocation of ${about} is not known: ${this.#undecided}`);
    if (this.reasons === ALL_REASONS) return null;
    if (this.freshness === "require")
      return undetermined(`no revocation list speaks of ${about}: ${this.#wrong ?? "none is there"}`);
    return this.#wrong === null ? null : undetermined(`revocation of ${about} is not known: ${this.#wrong}`);
  }

  /** What a list says is not known. */
  doubt(why: string): null {
    this.#wrong ??= why;
    return null;
  }

  #doubtIfRequired(why: string): null {
    return this.freshness === "require" ? this.doubt(why) : null;
  }

  /** What a list has against the certificate; null where that is nothing, or does not hold any more. */
  #entryIn(crl: Crl): RevokedEntry | null {
    const entry = crl.find(this.certificate.issuer, this.certificate.serial);
    if (entry === null || this.#isBefore(entry)) return null;
    const isDelta = crl.baseNumber !== null;
    if (isDelta && entry.reason === REMOVED) {
      if (!crl.unusable && this.#isFresh(crl)) this.#releases.push(crl);
      return null;
    }
    // RFC 5280 5.3.1: a delta releases what was on hold, and nothing else
    const isReleased = entry.reason === ON_HOLD && this.#releases.some((delta) => isDelta || updates(delta, crl));
    return isReleased ? null : entry;
  }

  /** Whether what an entry says came after the signature, by a time stamp that counts for that. */
  #isBefore({ revokedAt, invalidFrom }: RevokedEntry): boolean {
    const { stamp } = this.window;
    // RFC 5280 5.3.2: the key may have been bad for longer than it is revoked
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
   * RFC 5280 6.3.3 (a)(1): in its time. A list that does not say when it ends is in it for ever only where that is not
   * asked for.
   */
  #isFresh({ thisUpdate, nextUpdate }: Crl): boolean {
    if (!this.window.reached(thisUpdate)) return false;
    return nextUpdate === null ? this.freshness === "if-present" : !this.window.reached(nextUpdate);
  }

  /** RFC 5280 6.3.3 (f) and (g): a certificate whose key may and did sign the list. */
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

/** RFC 5280 5.2.4 and 6.3.3 (c): whether a delta can be laid over `base`. */
function updates(delta: Crl, base: Crl): boolean {
  if (delta.baseNumber === null || delta.number === null || base.number === null) return false;
  return (
    delta.baseNumber <= base.number &&
    delta.number > base.number &&
    delta.scope?.key === base.scope?.key &&
    delta.authorityKeyIdentifier === base.authorityKeyIdentifier
  );
}

/** Who may issue lists for a distribution point (RFC 5280 6.3.3 (b)(1)). */
function issuersNamedBy({ crlIssuer }: DistributionPoint, { issuer }: Certificate): readonly Name[] {
  return crlIssuer === null ? [issuer] : directoriesIn(crlIssuer);
}

/**
 * `thisUpdate` counts seconds: of two lists of one second the higher number is the newer (RFC 5280 5.2.3). A delta
 * comes before the complete list of its number, which would end the search.
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

/**
 * The points that a certificate names, and the one that holds for every certificate: its issuer's own (RFC 5280 6.3.3).
 */
function pointsOf(certificate: Certificate): readonly DistributionPoint[] {
  const own: DistributionPoint = {
    names: [{ kind: "directory", value: certificate.issuer }],
    reasons: ALL_REASONS,
    crlIssuer: null,
  };
  return [...certificate.crlDistributionPoints, own];
}

/** RFC 5280 6.3.3 (b). */
function inScope(crl: Crl, point: DistributionPoint, certificate: Certificate): Comparison {
  const { scope } = crl;
  // (1): a list of another issuer says so itself
  if (point.crlIssuer !== null && scope?.indirect !== true) return "no";
  if (scope === null) return "yes";
  const authority = certificate.basicConstraints?.authority === true;
  if (scope.onlyAttributes || (scope.onlyUsers && authority) || (scope.onlyAuthorities && !authority)) return "no";
  return scope.names === null ? "yes" : meet(scope.names, point.names ?? point.crlIssuer ?? []);
}

/** Whether two lists of names have one in common. */
function meet(some: readonly GeneralName[], others: readonly GeneralName[]): Comparison {
  const pairs = some.flatMap((name) => others.map((other) => compareGeneralNames(name, other)));
  return pairs.includes("yes") ? "yes" : pairs.includes("unknown") ? "unknown" : "no";
}
