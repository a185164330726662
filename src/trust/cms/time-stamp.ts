import { ERRNO } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { type Element, malformed, readDer } from "../asn1/der.js";
import { readSmallInteger } from "../asn1/der-value.js";
import { CMS_OID } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { readTime } from "../asn1/time.js";
import { DIGESTS, hash } from "../base/digest.js";
import { type Effort, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Stamp, Window } from "../base/window.js";
import { type AlgorithmIdentifier, digestOf, readAlgorithm, schemeOf } from "../key/algorithm.js";
import { findPath } from "../path/path.js";
import type { PathRules } from "../path/path-rule.js";
import { Certificate } from "../x509/certificate.js";
import { CertificateIndex } from "../x509/certificate-index.js";
import { readExtensions } from "../x509/extension.js";
import { readSignedData, type SignedData, type SignerInfo } from "./cms.js";
import { checkSignedAttributes } from "./signed-attributes.js";
import { checkStampUsage } from "./signer-usage.js";
import { checkSigningCertificate } from "./signing-certificate.js";

/**
 * The time-stamping authorities (RFC 3161, RFC 5816) that a keyring trusts. A stamp proves that a signature existed at
 * a time: the signer's certificate is then checked at that time, and a later revocation does not invalidate the
 * signature if the keyring says so. The authority's own certificate is checked at the time of the hook.
 */
export class TimeStampTrust {
  readonly #anchors: CertificateIndex;

  /**
   * `outlivesRevocation`: whether a signature that was stamped before the revocation of its certificate stays valid.
   * Throws KEYRING_INVALID.
   */
  constructor(
    certificates: readonly Certificate[],
    private readonly rules: PathRules,
    private readonly outlivesRevocation: boolean,
  ) {
    if (certificates.length === 0)
      throw new CountersignError("KEYRING_INVALID", "`timestamps.trust` has no certificate", {
        place: "timestamps.trust",
        remedy: "name the certificate of a time-stamping authority, or leave `timestamps` out",
      });
    this.#anchors = new CertificateIndex(certificates);
  }

  /** The stamp that a token gives `signature`, or why the token is rejected. Throws DER_MALFORMED. */
  verify(token: Uint8Array, signature: Uint8Array, window: Window, effort: Effort): Stamp | Refusal {
    const message = effort.decode(token.length, () => readSignedData(token));
    const [signer, another] = message.signers;
    if (message.contentType !== CMS_OID.timeStampInfo || message.content === null || message.carriesCrls)
      return refuse("EBADMSG", "RFC 3161 2.4.2", "the token is not a time stamp, or carries revocation lists");
    if (signer === undefined || another !== undefined)
      return refuse("EBADMSG", "RFC 3161 2.4.2", "a time stamp has one signer");
    const carried: Certificate[] = [];
    for (const element of message.certificates) {
      const { whole } = element;
      const certificate = effort.certificate(whole.length, () => new Certificate(Buffer.from(whole)));
      if (effort.spent) return tooMuch();
      carried.push(this.#anchors.find(certificate) ?? certificate);
    }
    const authority = [...carried, ...this.#anchors.all].find((candidate) => signer.identifier.names(candidate));
    if (authority === undefined)
      return refuse("ENOKEY", "RFC 3161 2.4.2", "the time stamp's signer is not in the keyring");
    const info = readInfo(message.content);
    const refusal =
      checkSignature(message, message.content, signer, authority, effort) ??
      checkImprint(info, signature) ??
      checkStampUsage(authority) ??
      this.#checkPath(authority, carried, window, effort);
    if (refusal !== null) return refusal;
    if (info.at < authority.notBefore)
      return refuse("EKEYREJECTED", "RFC 3161 2.4.2", "the time stamp is from before its authority's certificate");
    if (!window.reached(info.at)) return refuse("EKEYREJECTED", "RFC 3161 2.4.2", "the time stamp is in the future");
    return { at: info.at, outlivesRevocation: this.outlivesRevocation };
  }

  /**
   * Why a certificate of `timestamps.trust` is no longer trusted: it, or an authority above it, was revoked. Null if it
   * is trusted.
   */
  revoked(certificate: Certificate, window: Window): Refusal | null {
    const found = findPath(certificate, this.#anchors, new CertificateIndex(), this.rules, window);
    return "verdict" in found && found.verdict === -ERRNO.EKEYREVOKED ? found : null;
  }

  #checkPath(authority: Certificate, carried: readonly Certificate[], window: Window, effort: Effort): Refusal | null {
    const others = new CertificateIndex(carried);
    const found = findPath(authority, this.#anchors, others, this.rules, window, null, effort);
    return "verdict" in found ? { ...found, reason: `the time stamp is rejected: ${found.reason}` } : null;
  }
}

/** The fields of TSTInfo (RFC 3161 2.4.2) that are used. */
export interface TimeStampInfo {
  readonly digest: AlgorithmIdentifier;
  readonly imprint: Buffer;
  /** The latest time that the stamp can mean: its time plus its accuracy. Milliseconds since the epoch. */
  readonly at: number;
  readonly nonce: Element | null;
}

/** Throws DER_MALFORMED. */
export function readInfo(der: Uint8Array): TimeStampInfo {
  const cursor = readDer(der, TAG.sequence, "a time stamp").check().open();
  const version = cursor.take(TAG.integer, "a version");
  if (readSmallInteger(version) !== 1) throw malformed("a time stamp of an unknown version", version.start);
  cursor.take(TAG.oid, "a policy");
  const imprint = cursor.take(TAG.sequence, "a message imprint").open();
  const digest = readAlgorithm(imprint, "a digest algorithm");
  const hashed = imprint.take(TAG.octetString, "a digest").contents;
  imprint.finish("a message imprint");
  cursor.take(TAG.integer, "a serial number");
  const time = cursor.take(TAG.generalizedTime, "a time");
  const accuracy = cursor.optional(TAG.sequence);
  cursor.optional(TAG.boolean);
  const nonce = cursor.optional(TAG.integer);
  cursor.optional(context(0, true));
  const extensions = cursor.optional(context(1, true));
  cursor.finish("a time stamp");
  if (extensions !== null)
    for (const { critical } of readExtensions(extensions.as(TAG.sequence)).values())
      if (critical) throw malformed("an unknown critical extension of a time stamp", extensions.start);
  return {
    digest,
    imprint: hashed,
    at: readTime(time.bytes, time.tag, time.body, time.end) + readAccuracy(accuracy),
    nonce,
  };
}

/** Accuracy in seconds, milliseconds and microseconds, each of which is optional. Returns milliseconds, rounded up. */
function readAccuracy(accuracy: Element | null): number {
  if (accuracy === null) return 0;
  const cursor = accuracy.open();
  const seconds = cursor.optional(TAG.integer);
  const millis = cursor.optional(context(0, false));
  const micros = cursor.optional(context(1, false));
  cursor.finish("an accuracy");
  const value = (element: Element | null): number => (element === null ? 0 : readSmallInteger(element.as(TAG.integer)));
  return value(seconds) * 1000 + value(millis) + Math.ceil(value(micros) / 1000);
}

/** RFC 5652 5.6 with RFC 5816 2.2.1: the signer must have signed attributes, and they must name its certificate. */
function checkSignature(
  message: SignedData,
  content: Buffer,
  signer: SignerInfo,
  authority: Certificate,
  effort: Effort,
): Refusal | null {
  const digest = digestOf(signer.digestAlgorithm);
  if (typeof digest !== "string") return digest;
  const scheme = schemeOf(signer.signatureAlgorithm, digest);
  if ("verdict" in scheme) return scheme;
  const attributes = signer.signedAttributes;
  if (attributes === null || !message.digestAlgorithms.includes(signer.digestAlgorithm.oid))
    return refuse(
      "EBADMSG",
      "RFC 3161 2.4.2",
      "a time stamp without signed attributes, or with a digest that it does not list",
    );
  if (attributes.single(CMS_OID.signingCertificateV2, TAG.sequence) === null)
    return refuse("EKEYREJECTED", "RFC 5816 2.2.1", "the time stamp does not say which certificate made it");
  return (
    checkSignedAttributes(attributes, signer, message.contentType, hash(digest, content)) ??
    checkSigningCertificate(attributes, authority) ??
    authority.publicKey.verify(scheme, attributes.signedBytes, signer.signature, "RFC 5652 5.6", effort)
  );
}

/** RFC 3161 2.4.2: the stamp covers these bytes. */
function checkImprint({ digest, imprint }: TimeStampInfo, signature: Uint8Array): Refusal | null {
  const name = digestOf(digest);
  if (typeof name !== "string") return name;
  if (imprint.length === DIGESTS[name]?.size && imprint.toString("hex") === hash(name, signature)) return null;
  return refuse("EKEYREJECTED", "RFC 3161 2.4.2", "the time stamp is for another signature");
}
