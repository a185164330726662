import { EXTENSION } from "../asn1/oid.js";
import { type Refusal, refuse } from "../refusal.js";
import type { Window } from "../window.js";
import type { Certificate } from "./certificate.js";
import { CertificateIndex } from "./certificate-index.js";
import { type Crl, REMOVED, type RevokedEntry, undetermined } from "./crl.js";
import { ALL_REASONS, type DistributionPoint, directoryIn, readDistributionPoints } from "./distribution-point.js";
import { KEY_USAGE } from "./extension.js";
import { compareGeneralNames, type GeneralName } from "./general-name.js";
import type { Comparison, Name } from "./name.js";

/**
 * `require`: every certificate below an anchor needs CRLs, in their time, that speak of it for every reason. `if-present`: what a CRL
 * lists is revoked, and a certificate that none speaks of is not.
 */
export type Freshness = "require" | "if-present";

/** Certificates that may have issued a CRL, for one path. */
export interface CrlIssuers {
  readonly named: (name: Name) => readonly Certificate[];
  /** Whether a CRL's signature is by the key of a certificate. */
  readonly signed: (crl: Crl, candidate: Certificate) => boolean;
  /** Whether a certificate has a good path from the same anchor. `delegated`: the certificate in question names it as CRL issuer. */
  readonly accept: (candidate: Certificate, delegated: boolean) => boolean;
}

/** The revocation lists of one keyring, asked by RFC 5280 6.3. */
export class Revocation {
  readonly #byIssuer = new Map<string, Crl[]>();
  readonly #certificates: CertificateIndex;

  /**
   * `certificates` came with the lists: who signed them, where that is not who issued the certificates. `unconfirmed` are more
   * lists, ignored if they are not signed by whom they may be; the function of a list is called when it is.
   */
  constructor(
    crls: readonly Crl[],
    certificates: readonly Certificate[],
    readonly freshness: Freshness,
    private readonly unconfirmed: ReadonlyMap<Crl, () => void> = new Map(),
  ) {
    for (const crl of [...crls, ...unconfirmed.keys()].toSorted(newestFirst)) {
      const list = this.#byIssuer.get(crl.issuer.key);
      if (list === undefined) this.#byIssuer.set(crl.issuer.key, [crl]);
      else list.push(crl);
    }
    this.#certificates = new CertificateIndex(certificates);
  }

  /** Why a certificate that `issuer` issued is not to be used; null where it may be. RFC 5280 6.3.3. Throws DER_MALFORMED. */
  check(certificate: Certificate, issuer: Certificate, issuers: CrlIssuers, window: Window): Refusal | null {
    const inquiry = new Inquiry(
      certificate,
      issuer,
      issuers,
      this.#certificates,
      window,
      this.freshness,
      this.unconfirmed,
    );
    for (const point of pointsOf(certificate)) {
      if (inquiry.reasons === ALL_REASONS) break;
      const name = point.crlIssuer === null ? certificate.issuer : directoryIn(point.crlIssuer);
      if (name === null) continue;
      const lists = this.#byIssuer.get(name.key) ?? [];
      if (this.#mayConcern(name))
        inquiry.doubt(`the name of \`${name}\` cannot be compared with that of a list's issuer`);
      for (const crl of lists) {
        const refusal = crl.baseNumber === null ? inquiry.ask(crl, point, lists) : null;
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

/** One certificate whose revocation is looked into, over all the lists that speak of it. */
class Inquiry {
  /** Reasons that the lists so far speak for: RFC 5280's reasons_mask. */
  reasons = 0;
  /** What a list that is out of its time says: of use only where no other is. */
  #stale: Refusal | null = null;
  #wrong: string | null = null;

  constructor(
    readonly certificate: Certificate,
    readonly issuer: Certificate,
    readonly issuers: CrlIssuers,
    readonly extra: CertificateIndex,
    readonly window: Window,
    readonly freshness: Freshness,
    readonly unconfirmed: ReadonlyMap<Crl, () => void>,
  ) {}

  /** RFC 5280 6.3.3 (b) to (l) for one complete list; `siblings` are all lists of its issuer. */
  ask(crl: Crl, point: DistributionPoint, siblings: readonly Crl[]): Refusal | null {
    const scope = inScope(crl, point, this.certificate);
    if (scope === "no") return null;
    if (scope === "unknown") return this.doubt(`${crl} has a scope that cannot be compared`);
    // (d), (e): does this list speak for a reason that none before it did?
    const reasons = point.reasons & (crl.scope?.reasons ?? ALL_REASONS);
    if ((reasons & ~this.reasons) === 0) return null;
    if (crl.unusable) return this.doubt(`${crl} has a critical extension that is not known`);
    const signer = this.#signerOf(crl, point.crlIssuer !== null);
    const confirm = this.unconfirmed.get(crl);
    if (signer === null) return confirm ? null : this.doubt(`${crl} is not signed by whom it may be`);
    confirm?.();
    const fresh = this.#isFresh(crl);
    // (h), (i), (j), (k)
    const delta = siblings.find(
      (sibling) => this.#updates(sibling, crl) && sibling.signedBy(signer.publicKey) === null,
    );
    if (delta !== undefined) this.unconfirmed.get(delta)?.();
    const { issuer, serial } = this.certificate;
    const entry = delta?.find(issuer, serial) ?? crl.find(issuer, serial);
    const revoked = entry === null || this.#isBefore(entry) ? null : this.#revoked(entry.revokedAt, entry.reason);
    if (fresh || (delta !== undefined && revoked !== null)) {
      if (revoked !== null) return revoked;
      this.reasons |= reasons;
      return null;
    }
    this.#stale ??= revoked;
    if (this.freshness === "require") return this.doubt(`${crl} is out of its time`);
    return null;
  }

  conclude(): Refusal | null {
    if (this.reasons === ALL_REASONS) return null;
    if (this.#stale !== null) return this.#stale;
    const about = `\`${this.certificate}\``;
    if (this.freshness === "require")
      return undetermined(`no revocation list speaks of ${about}: ${this.#wrong ?? "none is there"}`);
    return this.#wrong === null ? null : undetermined(`revocation of ${about} is not known: ${this.#wrong}`);
  }

  /** What a list says is not known. */
  doubt(why: string): null {
    this.#wrong ??= why;
    return null;
  }

  /** Whether what an entry says came after the signature, by a time stamp that counts for that; or does not hold any more. */
  #isBefore({ reason, revokedAt, invalidFrom }: RevokedEntry): boolean {
    if (reason === REMOVED) return true;
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

  /** RFC 5280 6.3.3 (a)(1): in its time. A list that does not say when it ends is in it for ever only where that is not asked for. */
  #isFresh({ thisUpdate, nextUpdate }: Crl): boolean {
    if (!this.window.reached(thisUpdate)) return false;
    return nextUpdate === null ? this.freshness === "if-present" : !this.window.reached(nextUpdate);
  }

  /** RFC 5280 5.2.4 and 6.3.3 (c): whether a list is a delta, in its time, that can be laid over `base`. */
  #updates(delta: Crl, base: Crl): boolean {
    if (delta.baseNumber === null || delta.number === null || base.number === null || delta.unusable) return false;
    return (
      delta.baseNumber <= base.number &&
      delta.number > base.number &&
      delta.scope?.key === base.scope?.key &&
      delta.authorityKeyIdentifier === base.authorityKeyIdentifier &&
      this.#isFresh(delta)
    );
  }

  /** RFC 5280 6.3.3 (f) and (g): a certificate whose key may and did sign the list. */
  #signerOf(crl: Crl, delegated: boolean): Certificate | null {
    const named = [...this.issuers.named(crl.issuer), ...this.extra.bySubject(crl.issuer)];
    const candidates = this.issuer.subject.equals(crl.issuer) ? [this.issuer, ...named] : named;
    const wanted = crl.authorityKeyIdentifier;
    const likely = candidates.filter((candidate) => wanted === null || candidate.subjectKeyIdentifier === wanted);
    for (const candidate of new Set([...likely, ...candidates].slice(0, MAX_CANDIDATES))) {
      const { keyUsage } = candidate;
      if (keyUsage !== null && (keyUsage & KEY_USAGE.crlSign) === 0) continue;
      if (!this.issuers.signed(crl, candidate)) continue;
      if (candidate === this.issuer || this.issuers.accept(candidate, delegated)) return candidate;
    }
    return null;
  }
}

/** `thisUpdate` counts seconds: of two lists of one second the higher number is the newer (RFC 5280 5.2.3). */
function newestFirst(a: Crl, b: Crl): number {
  if (a.thisUpdate !== b.thisUpdate) return b.thisUpdate - a.thisUpdate;
  const [first, second] = [a.number ?? -1n, b.number ?? -1n];
  return first === second ? 0 : first < second ? 1 : -1;
}

/** Certificates of one name that are tried for one list. */
const MAX_CANDIDATES = 16;

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

/** The points that a certificate names, and the one that holds for every certificate: its issuer's own (RFC 5280 6.3.3). */
function pointsOf(certificate: Certificate): readonly DistributionPoint[] {
  const named = certificate.read(EXTENSION.crlDistributionPoints, (found) =>
    readDistributionPoints(found, certificate.issuer),
  );
  const own: DistributionPoint = {
    names: [{ kind: "directory", value: certificate.issuer }],
    reasons: ALL_REASONS,
    crlIssuer: null,
  };
  return [...(named ?? []), own];
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
