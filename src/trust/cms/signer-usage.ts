import { EXTENSION, KEY_PURPOSE } from "../asn1/oid.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { Certificate } from "../x509/certificate.js";
import { KEY_USAGE } from "../x509/extension.js";

/** Bits of keyUsage that allow a key to sign data (RFC 5280 4.2.1.3). */
const SIGNS_DATA = KEY_USAGE.digitalSignature | KEY_USAGE.nonRepudiation;

/** RFC 5280 4.2.1.3: if a certificate has keyUsage, it must include signing. */
export function checkSignerUsage(certificate: Certificate): Refusal | null {
  if (certificate.keyUsage === null || (certificate.keyUsage & SIGNS_DATA) !== 0) return null;
  return refuse("EKEYREJECTED", "RFC 5280 4.2.1.3", `the key of \`${certificate}\` is not for signing data`);
}

/**
 * RFC 3161 2.3: the certificate has a critical extended key usage with timeStamping as its only purpose. RFC 5280
 * 4.2.1.12 names the bits of keyUsage that are consistent with that purpose; like OpenSSL, this rejects every other
 * bit.
 */
export function checkStampUsage(certificate: Certificate): Refusal | null {
  const { extendedKeyUsage, extensions, keyUsage } = certificate;
  const only = extendedKeyUsage?.size === 1 && extendedKeyUsage.has(KEY_PURPOSE.timeStamping as string);
  if (!only || extensions.get(EXTENSION.extendedKeyUsage)?.critical !== true)
    return refuse("EKEYREJECTED", "RFC 3161 2.3", "the time stamp's certificate is not restricted to time stamping");
  if (keyUsage === null || ((keyUsage & SIGNS_DATA) !== 0 && (keyUsage & ~SIGNS_DATA) === 0)) return null;
  return refuse(
    "EKEYREJECTED",
    "RFC 5280 4.2.1.12",
    `the key usage of \`${certificate}\`, which made the time stamp, is not limited to signing data`,
  );
}
