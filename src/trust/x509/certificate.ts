import { CountersignError } from "../../error.js";
import { checkDer, type Element, malformed, readDer } from "../asn1/der.js";
import { elementsRead } from "../asn1/der-header.js";
import { checkValue, readOctets, readSmallInteger } from "../asn1/der-value.js";
import { EXTENSION } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { readMoment } from "../asn1/time.js";
import { type Effort, PER_UNIT } from "../base/effort.js";
import type { Refusal } from "../base/refusal.js";
import type { SignerIdentity } from "../base/signer-identity.js";
import { type AlgorithmIdentifier, readAlgorithm, schemeOf } from "../key/algorithm.js";
import { PublicKey } from "../key/key.js";
import { type DistributionPoint, readDistributionPoints } from "./distribution-point.js";
import {
  type BasicConstraints,
  type Extension,
  type Extensions,
  type NameConstraints,
  type PolicyConstraints,
  readAccess,
  readAlternativeNames,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtendedKeyUsage,
  readExtensions,
  readInhibitAnyPolicy,
  readKeyUsage,
  readNameConstraints,
  readPolicies,
  readPolicyConstraints,
  readPolicyMappings,
  readSubjectKeyIdentifier,
  UNDERSTOOD,
} from "./extension.js";
import type { GeneralName } from "./general-name.js";
import { type Name, readName } from "./name.js";

/**
 * A certificate (RFC 5280 4.1). The constructor checks its DER recursively and reads every known extension, but applies
 * no path rules. It caches its imported key and the key that verified its signature.
 */
export class Certificate {
  readonly element: Element;
  readonly tbs: Element;
  readonly version: number;
  readonly serial: Element;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since the epoch; both bounds are inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: PublicKey;
  readonly extensions: Extensions;
  /** These are null if the extension is absent. */
  readonly basicConstraints: BasicConstraints | null;
  readonly keyUsage: number | null;
  readonly extendedKeyUsage: ReadonlySet<string> | null;
  /** The identifier's bytes, one character per byte; null if absent. */
  readonly subjectKeyIdentifier: string | null;
  readonly authorityKeyIdentifier: string | null;
  readonly subjectAltNames: readonly GeneralName[];
  readonly nameConstraints: NameConstraints | null;
  readonly policies: ReadonlySet<string> | null;
  /** The type of a policy qualifier that is not known, by its contents octets; null for none. */
  readonly unknownQualifier: string | null;
  readonly policyMappings: ReturnType<typeof readPolicyMappings>;
  readonly policyConstraints: PolicyConstraints | null;
  readonly inhibitAnyPolicy: number | null;
  readonly crlDistributionPoints: readonly DistributionPoint[];
  /** The unknown critical extensions, by the contents octets of their identifiers. */
  readonly unknownCritical: readonly string[];
  /** Units of `Effort` for reading it, preparing its names and printing them. The same if it was read before. */
  readonly cost: number;
  readonly #algorithm: AlgorithmIdentifier;
  readonly #signature: Buffer;
  #signedBy: PublicKey | null = null;
  #signer: SignerIdentity | null = null;

  /** `der` must not change afterwards. Throws DER_MALFORMED. */
  constructor(der: Uint8Array) {
    if (der.length > MAX_CERTIFICATE)
      throw malformed(
        `a certificate of ${der.length} bytes`,
        0,
        `use a certificate of at most ${MAX_CERTIFICATE} bytes`,
      );
    const before = elementsRead;
    this.element = readDer(der, TAG.sequence, "a certificate");
    const outer = this.element.open();
    this.tbs = outer.take(TAG.sequence, "the signed part of a certificate");
    this.#algorithm = readAlgorithm(outer, "a certificate's signature algorithm");
    this.#signature = readOctets(outer.take(TAG.bitString, "a certificate's signature"));
    outer.finish("a certificate");

    checkDer(this.tbs.bytes, this.tbs.start, this.tbs.end);
    const tbs = this.tbs.open();
    this.version = readVersion(tbs.optional(context(0, true)));
    this.serial = tbs.take(TAG.integer, "a serial number");
    // RFC 5280 4.1.1.2: the signed part names the same algorithm as the signature
    const algorithm = tbs.take(TAG.sequence, "a signature algorithm");
    if (!algorithm.equals(this.#algorithm.element))
      throw malformed("a signature algorithm that is not the signed one", algorithm.start);
    this.issuer = readName(tbs, "an issuer");
    const validity = tbs.take(TAG.sequence, "a validity period").open();
    this.notBefore = readMoment(validity.next());
    this.notAfter = readMoment(validity.next());
    validity.finish("a validity period");
    this.subject = readName(tbs, "a subject");
    this.publicKey = new PublicKey(tbs.take(TAG.sequence, "a public key"));
    // RFC 5280 4.1.2.8: unique identifiers are not used, but must be well-formed
    for (const number of [1, 2]) {
      const identifier = tbs.optional(context(number, false));
      if (identifier === null) continue;
      if (this.version === 1) throw malformed("a unique identifier in version 1", identifier.start);
      checkValue(identifier.as(TAG.bitString));
    }
    const extensions = tbs.optional(context(3, true));
    tbs.finish("the signed part of a certificate");
    // RFC 5280 4.1.2.1: only version 3 has extensions
    if (extensions !== null && this.version !== 3)
      throw malformed(`extensions in version ${this.version}`, extensions.start);
    this.extensions = extensions === null ? NONE : readExtensions(extensions.only(TAG.sequence, "extensions"));
    this.basicConstraints = this.read(EXTENSION.basicConstraints, readBasicConstraints);
    this.keyUsage = this.read(EXTENSION.keyUsage, readKeyUsage);
    this.extendedKeyUsage = this.read(EXTENSION.extendedKeyUsage, readExtendedKeyUsage);
    this.subjectKeyIdentifier = this.read(EXTENSION.subjectKeyIdentifier, readSubjectKeyIdentifier);
    this.authorityKeyIdentifier = this.read(EXTENSION.authorityKeyIdentifier, readAuthorityKeyIdentifier);
    this.subjectAltNames = this.read(EXTENSION.subjectAltName, readAlternativeNames) ?? [];
    this.nameConstraints = this.read(EXTENSION.nameConstraints, readNameConstraints);
    const policies = this.read(EXTENSION.certificatePolicies, readPolicies);
    this.policies = policies?.policies ?? null;
    this.unknownQualifier = policies?.unknownQualifier ?? null;
    this.policyMappings = this.read(EXTENSION.policyMappings, readPolicyMappings) ?? [];
    this.policyConstraints = this.read(EXTENSION.policyConstraints, readPolicyConstraints);
    this.inhibitAnyPolicy = this.read(EXTENSION.inhibitAnyPolicy, readInhibitAnyPolicy);
    const readPoints = (found: Extension) => readDistributionPoints(found, this.issuer);
    this.crlDistributionPoints = this.read(EXTENSION.crlDistributionPoints, readPoints) ?? [];
    // These are not used, but must be well-formed
    this.read(EXTENSION.freshestCrl, readPoints);
    this.read(EXTENSION.issuerAltName, readAlternativeNames);
    this.read(EXTENSION.authorityInfoAccess, readAccess);
    this.read(EXTENSION.subjectInfoAccess, readAccess);
    this.unknownCritical = [...this.extensions]
      .filter(([name, { critical }]) => critical && !UNDERSTOOD.has(name))
      .map(([name]) => name);
    const decoded = der.length / PER_UNIT.bytes + (elementsRead - before) / PER_UNIT.elements;
    this.cost = decoded + this.issuer.cost + this.subject.cost;
  }

  /** The whole certificate in DER. */
  get der(): Buffer {
    return this.element.whole;
  }

  /** Issuer and serial number, by which a SignerInfo identifies the certificate, as encoded, one character per byte. */
  get identity(): string {
    return this.issuer.element.key + this.serial.key;
  }

  /** Whom a signature by this certificate is by. */
  get signerIdentity(): SignerIdentity {
    this.#signer ??= { subject: shown(this.subject), serial: serialText(this.serial), issuer: shown(this.issuer) };
    return this.#signer;
  }

  /** RFC 5280 3.2: issuer and subject are the same name. */
  get selfIssued(): boolean {
    return this.issuer.equals(this.subject);
  }

  /** Whether both have the same key and name: a loop on a path (RFC 4158 5.2), or a renewal. */
  sameHolder(other: Certificate): boolean {
    return this === other || (this.publicKey.spki.equals(other.publicKey.spki) && this.subject.equals(other.subject));
  }

  /** Whether its own key signed it. */
  get selfSigned(): boolean {
    return this.selfIssued && this.signedBy(this.publicKey) === null;
  }

  /** Parses an extension with a reader of extension.ts; null if it is absent. Throws DER_MALFORMED. */
  read<T>(identifier: string, reader: (extension: Extension) => T): T | null {
    const extension = this.extensions.get(identifier);
    return extension === undefined ? null : reader(extension);
  }

  /** Whether an extension is critical; null if it is absent. */
  critical(identifier: string): boolean | null {
    return this.extensions.get(identifier)?.critical ?? null;
  }

  /**
   * Checks the certificate's signature with `key` (RFC 5280 6.1.3 (a)(1)). A valid result is cached, but costs the
   * message the same again.
   */
  signedBy(key: PublicKey, effort: Effort | null = null): Refusal | null {
    if (this.#signedBy === key) return effort?.verification(key, this.tbs.length) ?? null;
    const scheme = schemeOf(this.#algorithm, null);
    if ("verdict" in scheme) return scheme;
    const refusal = key.verify(scheme, this.tbs.whole, this.#signature, RULE_SIGNATURE, effort);
    if (refusal !== null) return { ...refusal, reason: `certificate \`${this.subject}\`: ${refusal.reason}` };
    this.#signedBy = key;
    return null;
  }

  /** For messages: the subject, or the serial number if the subject is empty. */
  toString(): string {
    return this.subject.empty ? `serial ${this.serial.contents.toString("hex")}` : this.subject.toString();
  }
}

function shown(name: Name): string | null {
  return name.empty ? null : name.toString();
}

/** A serial number in lower-case hex, with whole octets and no leading zero octets; with `-` if it is negative. */
function serialText({ contents }: Element): string {
  const value = BigInt.asIntN(8 * contents.length, BigInt(`0x${contents.toString("hex")}`));
  const digits = (value < 0n ? -value : value).toString(16);
  return `${value < 0n ? "-" : ""}${digits.length % 2 === 0 ? "" : "0"}${digits}`;
}

/** Reads a certificate in DER and copies its bytes. Throws CERTIFICATE_MALFORMED. */
export function readCertificate(der: Uint8Array): Certificate {
  try {
    return new Certificate(Buffer.from(der));
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw new CountersignError("CERTIFICATE_MALFORMED", cause.message, {
      place: cause.place,
      remedy: "give a complete, unmodified X.509 certificate in PEM or DER",
      cause,
    });
  }
}

/** In bytes: several times the size of a certificate with the largest post-quantum keys. */
const MAX_CERTIFICATE = 64 * 1024;
const RULE_SIGNATURE = "RFC 5280 6.1.3 (a)(1)";
const NONE: Extensions = new Map();

/** Issuer and subject of an encoded certificate, of which nothing else is checked. Throws DER_MALFORMED. */
export function readIdentity(element: Element): { readonly issuer: Name; readonly subject: Name } {
  const tbs = element.open().enter(TAG.sequence, "the signed part of a certificate");
  tbs.optional(context(0, true));
  tbs.take(TAG.integer, "a serial number");
  tbs.take(TAG.sequence, "a signature algorithm");
  const issuer = readName(tbs, "an issuer");
  tbs.take(TAG.sequence, "a validity period");
  return { issuer, subject: readName(tbs, "a subject") };
}

/** RFC 5280 4.1.2.1: version 1 is the default, so DER omits it. */
function readVersion(field: Element | null): number {
  if (field === null) return 1;
  const value = readSmallInteger(field.only(TAG.integer, "a version"));
  if (value !== 1 && value !== 2) throw malformed(`version ${value + 1} of certificates`, field.start);
  return value + 1;
}
