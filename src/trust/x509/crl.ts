import { CountersignError } from "../../error.js";
import { checkDer, type Element, malformed, readDer } from "../asn1/der.js";
import { readOctets, readSmallInteger, readUnsigned } from "../asn1/der-value.js";
import { EXTENSION } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { readMoment } from "../asn1/time.js";
import type { Effort } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { type AlgorithmIdentifier, readAlgorithm, schemeOf } from "../key/algorithm.js";
import type { PublicKey } from "../key/key.js";
import {
  type IssuingDistributionPoint,
  readDistributionPoints,
  readIssuingDistributionPoint,
} from "./distribution-point.js";
import {
  type Extension,
  type Extensions,
  readAlternativeNames,
  readAuthorityKeyIdentifier,
  readExtensions,
} from "./extension.js";
import { readGeneralNames } from "./general-name.js";
import { type Name, readName } from "./name.js";

/** An entry for a revoked certificate (RFC 5280 5.3). Times are in milliseconds since the epoch. */
export interface RevokedEntry {
  readonly revokedAt: number;
  /** CRLReason; 0 if absent. */
  readonly reason: number;
  /** invalidityDate, from when on the key is known or suspected to be compromised; null if absent. */
  readonly invalidFrom: number | null;
}

/** CRLReason certificateHold. */
export const ON_HOLD = 6;
/** CRLReason removeFromCRL: in a delta CRL, a certificate is no longer on hold. It has no meaning in a complete CRL. */
export const REMOVED = 8;

/** A certificate revocation list (RFC 5280 5). The constructor checks its DER recursively. */
export class Crl {
  readonly issuer: Name;
  readonly thisUpdate: number;
  /** Null if absent. */
  readonly nextUpdate: number | null;
  readonly number: bigint | null;
  /** For a delta CRL: the number of its base; null for a complete CRL. */
  readonly baseNumber: bigint | null;
  readonly scope: IssuingDistributionPoint | null;
  readonly authorityKeyIdentifier: string | null;
  /** Whether the list or an entry has an unknown critical extension; RFC 5280 5.2 then forbids using the list. */
  readonly unusable: boolean;
  /** The violation of RFC 5280 5.2.3 by the list's number; null if there is none. */
  readonly flaw: string | null;
  readonly #entries = new Map<string, RevokedEntry>();
  readonly #tbs: Element;
  readonly #algorithm: AlgorithmIdentifier;
  readonly #signature: Buffer;
  readonly #answers = new WeakMap<PublicKey, Refusal | null>();

  /** `der` must not change afterwards. Throws DER_MALFORMED. */
  constructor(readonly der: Uint8Array) {
    const outer = readDer(der, TAG.sequence, "a CRL").open();
    this.#tbs = outer.take(TAG.sequence, "the signed part of a CRL");
    this.#algorithm = readAlgorithm(outer, "a CRL's signature algorithm");
    this.#signature = readOctets(outer.take(TAG.bitString, "a CRL's signature"));
    outer.finish("a CRL");
    checkDer(this.#tbs.bytes, this.#tbs.start, this.#tbs.end);
    const tbs = this.#tbs.open();
    const version = tbs.optional(TAG.integer);
    if (version !== null && readSmallInteger(version) !== 1)
      throw malformed("an unknown version of CRLs", version.start);
    const algorithm = tbs.take(TAG.sequence, "a signature algorithm");
    if (!algorithm.equals(this.#algorithm.element))
      throw malformed("a signature algorithm that is not the signed one", algorithm.start);
    this.issuer = comparable(readName(tbs, "an issuer"));
    this.thisUpdate = readMoment(tbs.next());
    const isTime = tbs.tag === TAG.utcTime || tbs.tag === TAG.generalizedTime;
    this.nextUpdate = isTime ? readMoment(tbs.next()) : null;
    const revoked = tbs.optional(TAG.sequence);
    const wrapped = tbs.optional(context(0, true));
    tbs.finish("the signed part of a CRL");
    const extensions: Extensions =
      wrapped === null ? new Map() : readExtensions(wrapped.only(TAG.sequence, "extensions"));
    this.number = read(extensions, EXTENSION.crlNumber, readNumber);
    const isCritical = extensions.get(EXTENSION.crlNumber)?.critical === true;
    this.flaw = this.number === null ? "no number" : isCritical ? "a critical number" : null;
    this.baseNumber = read(extensions, EXTENSION.deltaCrlIndicator, readNumber);
    this.scope = read(extensions, EXTENSION.issuingDistributionPoint, (found) =>
      readIssuingDistributionPoint(found, this.issuer),
    );
    this.authorityKeyIdentifier = read(extensions, EXTENSION.authorityKeyIdentifier, readAuthorityKeyIdentifier);
    // These are not used, but must be well-formed
    read(extensions, EXTENSION.issuerAltName, readAlternativeNames);
    read(extensions, EXTENSION.freshestCrl, (found) => readDistributionPoints(found, this.issuer));
    const entriesUsable = revoked === null || this.#readEntries(revoked);
    this.unusable = !entriesUsable || hasUnknownCritical(extensions, LIST_EXTENSIONS);
  }

  /** The entry for a certificate; null if there is none. */
  find(issuer: Name, serial: Element): RevokedEntry | null {
    return this.#entries.get(this.#keyOf(issuer, serial)) ?? null;
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * Checks the list's signature with `key` (RFC 5280 6.3.3 (g)). A valid result is cached. For a key of the keyring, an
   * invalid one is cached too, and the message does not pay for the check, since keyring and list are given.
   */
  signedBy(key: PublicKey, effort: Effort | null = null): Refusal | null {
    const payer = effort?.owns(key) === true ? null : effort;
    const known = this.#answers.get(key);
    if (known !== undefined) return payer?.verification(key, this.#tbs.length) ?? known;
    const scheme = schemeOf(this.#algorithm, null);
    if ("verdict" in scheme) return scheme;
    const refusal = key.verify(scheme, this.#tbs.whole, this.#signature, "RFC 5280 6.3.3 (g)", payer);
    if (refusal === null || payer === null) this.#answers.set(key, refusal);
    return refusal;
  }

  toString(): string {
    return `CRL of ${this.issuer}`;
  }

  /**
   * RFC 5280 5.3.3: an entry without a certificate issuer has that of the entry before it. Returns whether no entry has
   * an unknown critical extension.
   */
  #readEntries(list: Element): boolean {
    let { issuer } = this;
    let usable = true;
    // The entries of one list have few distinct extensions, and there may be a million entries
    const known = new Map<string, EntryExtensions>();
    const cursor = list.open();
    while (!cursor.done) {
      const fields = cursor.enter(TAG.sequence, "a revoked certificate");
      const serial = fields.take(TAG.integer, "a serial number");
      const revokedAt = readMoment(fields.next());
      const sequence = fields.optional(TAG.sequence);
      fields.finish("a revoked certificate");
      const said = sequence === null ? NOTHING : readEntryExtensions(sequence, known);
      issuer = said.issuer ?? issuer;
      usable &&= said.usable;
      this.#add(this.#keyOf(issuer, serial), { revokedAt, reason: said.reason, invalidFrom: said.invalidFrom });
    }
    return usable;
  }

  /** If a certificate has two entries, the more permanent reason counts, or else the earlier date. */
  #add(key: string, entry: RevokedEntry): void {
    const known = this.#entries.get(key);
    if (known === undefined || isWorse(entry, known)) this.#entries.set(key, entry);
  }

  /** Most lists have one issuer, so its name is left out of the key. */
  #keyOf(issuer: Name, serial: Element): string {
    return issuer.equals(this.issuer) ? serial.key : serial.key + issuer.key;
  }
}

/** Reads a CRL in DER and copies its bytes. Throws CRL_MALFORMED. */
export function readCrl(der: Uint8Array): Crl {
  try {
    return new Crl(Buffer.from(der));
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw new CountersignError("CRL_MALFORMED", cause.message, {
      place: cause.place,
      remedy: "give a complete, unmodified CRL in PEM or DER",
      cause,
    });
  }
}

/** The refusal if the revocation status cannot be determined. */
export function undetermined(reason: string): Refusal {
  return refuse("EKEYREJECTED", "RFC 5280 6.3.3", reason);
}

const LIST_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION.authorityKeyIdentifier,
  EXTENSION.issuerAltName,
  EXTENSION.crlNumber,
  EXTENSION.deltaCrlIndicator,
  EXTENSION.issuingDistributionPoint,
  EXTENSION.freshestCrl,
]);
const ENTRY_EXTENSIONS: ReadonlySet<string> = new Set([
  EXTENSION.crlReason,
  EXTENSION.invalidityDate,
  EXTENSION.certificateIssuer,
]);

/** The extensions of an entry (RFC 5280 5.3). */
interface EntryExtensions extends Pick<RevokedEntry, "reason" | "invalidFrom"> {
  readonly issuer: Name | null;
  readonly usable: boolean;
}

const NOTHING: EntryExtensions = { reason: 0, invalidFrom: null, issuer: null, usable: true };

function readEntryExtensions(sequence: Element, known: Map<string, EntryExtensions>): EntryExtensions {
  const { key } = sequence;
  let said = known.get(key);
  if (said !== undefined) return said;
  const extensions = readExtensions(sequence);
  said = {
    reason: read(extensions, EXTENSION.crlReason, readReason) ?? 0,
    invalidFrom: read(extensions, EXTENSION.invalidityDate, readInvalidity),
    issuer: read(extensions, EXTENSION.certificateIssuer, readIssuer),
    usable: !hasUnknownCritical(extensions, ENTRY_EXTENSIONS),
  };
  if (known.size < MAX_KNOWN) known.set(key, said);
  return said;
}

/** The most distinct extensions to cache while one list is read. */
const MAX_KNOWN = 4_096;

function hasUnknownCritical(extensions: Extensions, known: ReadonlySet<string>): boolean {
  for (const [name, { critical }] of extensions) if (critical && !known.has(name)) return true;
  return false;
}

function read<T>(extensions: Extensions, name: string, reader: (extension: Extension) => T): T | null {
  const extension = extensions.get(name);
  return extension === undefined ? null : reader(extension);
}

/** RFC 5280 5.2.3: at most 20 octets. */
function readNumber(extension: Extension): bigint {
  return readUnsigned(extension.value.only(TAG.integer, "a CRL number"), 20);
}

function readReason(extension: Extension): number {
  return readSmallInteger(extension.value.only(TAG.enumerated, "a reason"));
}

function readInvalidity(extension: Extension): number {
  return readMoment(extension.value.only(TAG.generalizedTime, "an invalidity date"));
}

/** RFC 5280 5.3.3: the issuer's distinguished name, at any position among the names. */
function readIssuer(extension: Extension): Name {
  const { value } = extension;
  const names = readGeneralNames(value.only(TAG.sequence, "a certificate issuer").check().open());
  const [issuer, ...more] = names.filter((name) => name.kind === "directory");
  if (issuer === undefined || more.length > 0)
    throw malformed("a certificate issuer without one directory name", value.start);
  return comparable(issuer.value);
}

/** Rejects a list or entry whose issuer cannot be compared: it would otherwise silently revoke nothing. */
function comparable(issuer: Name): Name {
  if (issuer.empty) throw malformed("an empty issuer", issuer.element.start);
  if (issuer.comparable) return issuer;
  throw malformed(`\`${issuer}\`, a name that cannot be compared`, issuer.element.start);
}

function isWorse(one: RevokedEntry, other: RevokedEntry): boolean {
  const difference = severity(one) - severity(other);
  return difference > 0 || (difference === 0 && since(one) < since(other));
}

function since({ revokedAt, invalidFrom }: RevokedEntry): number {
  return Math.min(revokedAt, invalidFrom ?? revokedAt);
}

function severity({ reason }: RevokedEntry): number {
  return reason === REMOVED ? 0 : reason === ON_HOLD ? 1 : 2;
}
