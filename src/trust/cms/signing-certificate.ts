import type { Cursor, Element } from "../asn1/der.js";
import { CMS_OID } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { digestOf, readAlgorithm } from "../key/algorithm.js";
import type { Certificate } from "../x509/certificate.js";
import { Name } from "../x509/name.js";
import type { Attributes } from "./signed-attributes.js";

const RULE = "RFC 5035 5.4";

/**
 * The signed attributes that name the signer's certificate: signingCertificate (by SHA-1, RFC 2634 5.4) and
 * signingCertificateV2 (RFC 5035 3). Both are optional; the first certificate in either must be the signer's. Throws
 * DER_MALFORMED.
 */
export function checkSigningCertificate(attributes: Attributes, certificate: Certificate): Refusal | null {
  for (const { type, version } of KINDS) {
    const attribute = attributes.single(type, TAG.sequence);
    const refusal = attribute === null ? null : checkFirst(attribute, version, certificate);
    if (refusal !== null) return refusal;
  }
  return null;
}

const KINDS = [
  { type: CMS_OID.signingCertificate, version: 1 },
  { type: CMS_OID.signingCertificateV2, version: 2 },
] as const;

/**
 * Checks the first ESSCertID or ESSCertIDv2 of a list. Later ones name the signer's authorities, which path validation
 * checks.
 */
function checkFirst(attribute: Element, version: 1 | 2, certificate: Certificate): Refusal | null {
  const first = attribute
    .open()
    .take(TAG.sequence, "certificates")
    .open()
    .enter(TAG.sequence, "a certificate's digest");
  const digest = version === 1 ? "sha1" : digestIn(first);
  if (typeof digest !== "string") return digest;
  const wanted = first.take(TAG.octetString, "a digest").contents.toString("hex");
  const issuerSerial = first.optional(TAG.sequence);
  first.finish("a certificate's digest");
  const same =
    wanted === hash(digest, certificate.der) && (issuerSerial === null || isNamed(issuerSerial, certificate));
  return same ? null : refuse("EKEYREJECTED", RULE, "the signature names another certificate than the signer's");
}

/** The digest of an ESSCertIDv2 is SHA-256 if the field is absent (RFC 5035 4). */
function digestIn(cursor: Cursor): string | Refusal {
  return cursor.tag === TAG.sequence ? digestOf(readAlgorithm(cursor, "a digest algorithm")) : "sha256";
}

/** IssuerSerial (RFC 5035 6): the issuer is the only general name, and is a directoryName. */
function isNamed(issuerSerial: Element, { issuer, serial }: Certificate): boolean {
  const cursor = issuerSerial.open();
  const names = cursor.take(TAG.sequence, "an issuer");
  const number = cursor.take(TAG.integer, "a serial number");
  cursor.finish("an issuer and a serial number");
  const name = names.open().next();
  if (name.tag !== context(4, true) || name.end !== names.end || !number.equals(serial)) return false;
  const directory = name.only(TAG.sequence, "an issuer");
  return directory.equals(issuer.element) || new Name(directory).equals(issuer);
}
