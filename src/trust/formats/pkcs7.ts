import { readDer } from "../asn1/der.js";
import { headerEnd, readHeader } from "../asn1/der-header.js";
import { CMS_OID, dotted } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { type Effort, tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { CertificatePath } from "../base/signer-identity.js";
import { Window } from "../base/window.js";
import { readSignedData, type SignedData, type SignerInfo } from "../cms/cms.js";
import { Attributes, checkSignedAttributes } from "../cms/signed-attributes.js";
import type { SignerIdentifier } from "../cms/signer-identifier.js";
import { checkSignerUsage } from "../cms/signer-usage.js";
import { checkSigningCertificate } from "../cms/signing-certificate.js";
import { digestOf, schemeOf } from "../key/algorithm.js";
import type { Signer } from "../model/signer.js";
import { type Certificate, readIdentity } from "../x509/certificate.js";
import { MAX_PARTS } from "./blocks.js";
import type { SignatureFormat, TrustedKeyring, VerificationContext } from "./format.js";

export const PKCS7 = {
  doc: "Detached CMS, as `openssl cms -sign -binary` makes it.",
  detached: true,
  endings: [".p7s"],
  check: (file) => {
    for (const message of messagesIn(file)) readSignedData(message);
  },
  several: {
    split: messagesIn,
    signerOf: (message) =>
      readSignedData(message)
        .signers.map(({ identifier }) => identifier.key)
        .sort()
        .join(),
    naming: (keyring) => (message, effort) =>
      namesKeyOf(
        keyring,
        effort.decode(message.length, () => readSignedData(message)),
        effort,
      ),
  },
  keys: null,
  open: (keyring) => (context) => verifyPkcs7(keyring, context),
} as const satisfies SignatureFormat;

/** In bytes. Real signatures are far smaller, and parsing one of this size is fast. */
export const MAX_SIGNATURE = 256 * 1024;

/** The messages in a file, one after the other; the whole file if it is not made of DER elements. */
function messagesIn(file: Uint8Array): readonly Uint8Array[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const messages: Uint8Array[] = [];
  try {
    for (let at = 0; at < bytes.length; at = headerEnd) {
      readHeader(bytes, at, bytes.length);
      if (messages.length === MAX_PARTS) return [file];
      messages.push(file.subarray(at, headerEnd));
    }
  } catch {
    return [file];
  }
  return messages.length === 0 ? [file] : messages;
}

/**
 * Whether a signer of a message is an anchor, or a certificate in the message is one or names one as its issuer: a path
 * has an anchor above what the message carries.
 */
function namesKeyOf({ anchors }: TrustedKeyring, { signers, certificates }: SignedData, effort: Effort): boolean {
  return (
    signers.some(({ identifier }) => identifier.in(anchors).length > 0) ||
    certificates.some((element) => {
      const { issuer, subject } = effort.decode(0, () => readIdentity(element));
      // The names are prepared for the comparison
      if (!effort.take(issuer.cost + subject.cost)) return false;
      return anchors.bySubject(issuer).length > 0 || anchors.bySubject(subject).length > 0;
    })
  );
}

/**
 * Verifies a detached CMS signature (RFC 5652 5.6) over `data`. The signature of every signer in the message must be
 * valid. `attributes` says whether signed attributes are allowed; the kernel's module signatures have none. Throws
 * DER_MALFORMED, which the caller turns into -EBADMSG.
 */
export function verifyPkcs7(
  keyring: TrustedKeyring,
  context: VerificationContext,
  attributes: "allowed" | "rejected" = "allowed",
): readonly Signer[] | Refusal {
  const { signature, effort } = context;
  if (signature.length > MAX_SIGNATURE)
    return refuse("EBADMSG", "signature size limit", `a signature of ${signature.length} bytes`);
  const message = effort.decode(signature.length, () => readSignedData(signature));
  const wrong = checkMessage(message);
  if (wrong !== null) return wrong;
  const carried: Certificate[] = [];
  for (const element of message.certificates) {
    carried.push(effort.certificate(element.whole.length, () => keyring.certificates.get(element)));
    if (effort.spent) return tooMuch();
  }
  const received: Received = { ...context, keyring, message, carried };
  const signers: Signer[] = [];
  for (const signer of message.signers) {
    if (attributes === "rejected" && signer.signedAttributes !== null)
      return refuse("EKEYREJECTED", "pkcs7_verify", "signed attributes, which an appended signature may not have");
    const found = verifySigner(received, signer);
    if ("verdict" in found) return found;
    signers.push(found);
  }
  return signers;
}

/** A message that is being verified. */
interface Received extends VerificationContext {
  readonly keyring: TrustedKeyring;
  readonly message: SignedData;
  /** The certificates in the message. */
  readonly carried: readonly Certificate[];
}

function checkMessage({ content, contentType, carriesCrls }: SignedData): Refusal | null {
  // RFC 5652 5.2: a detached signature has no content. A signature with content covers that content and not the
  // caller's bytes
  if (content !== null)
    return refuse("EBADMSG", "RFC 5652 5.2", "the signature contains its own content, so it is not detached");
  if (contentType !== CMS_OID.data)
    return refuse("EBADMSG", "RFC 5652 5.2", `content type ${dotted(contentType)} instead of data`);
  if (carriesCrls)
    return refuse(
      "EBADMSG",
      "RFC 5652 5.1",
      "the signature carries revocation lists, which are accepted from the keyring only",
    );
  return null;
}

function verifySigner(received: Received, signer: SignerInfo): Signer | Refusal {
  const { message, trace, effort } = received;
  const noted = <T>(section: string, rule: string, outcome: T): T => {
    trace?.signer(String(signer.identifier), section, rule, outcome);
    return outcome;
  };
  const digest = noted("RFC 5652 5.1", "digest algorithm", listedDigest(message, signer));
  if (typeof digest !== "string") return digest;
  const scheme = noted("RFC 5652 5.3", "signature algorithm", schemeOf(signer.signatureAlgorithm, digest));
  if ("verdict" in scheme) return scheme;
  const signed = noted("RFC 5652 5.4", "signed data", signedBytes(received, signer, digest));
  if ("verdict" in signed) return signed;
  let refusal: Refusal | null = null;
  for (const certificate of candidatesFor(received, signer.identifier)) {
    const bySigner = certificate.publicKey.verify(scheme, signed, signer.signature, "RFC 5652 5.6", effort);
    refusal = noted("RFC 5652 5.6", "signature", bySigner);
    if (refusal === null && signer.signedAttributes !== null)
      refusal = noted(
        "RFC 5035 5.4",
        "named certificate",
        checkSigningCertificate(signer.signedAttributes, certificate),
      );
    if (refusal === null) refusal = noted("RFC 5280 4.2.1.3", "key usage", checkSignerUsage(certificate));
    if (refusal === null) {
      const path = checkPath(received, signer, certificate);
      if (!("verdict" in path))
        return { ...certificate.signerIdentity, name: String(certificate), key: certificate.publicKey, path };
      refusal = path;
    }
    if (effort.spent) return noted("effort limit", "effort", tooMuch());
  }
  return refusal ?? noted("RFC 5652 5.3", "signer's certificate", unknownSigner(signer));
}

function listedDigest(message: SignedData, { digestAlgorithm }: SignerInfo): string | Refusal {
  const digest = digestOf(digestAlgorithm);
  if (typeof digest !== "string" || message.digestAlgorithms.includes(digestAlgorithm.oid)) return digest;
  return refuse("EBADMSG", "RFC 5652 5.1", `digest ${digest} is not among those that the message lists`);
}

function unknownSigner({ identifier }: SignerInfo): Refusal {
  return refuse("ENOKEY", "RFC 5652 5.3", `signer ${identifier} is not in the keyring`);
}

/**
 * If the keyring trusts time stamps and the signer has one, the certificate is checked at the stamp's time. An invalid
 * stamp rejects the signature.
 */
function checkPath(
  { keyring, carried, window, trace, effort }: Received,
  { signature, timeStamp }: SignerInfo,
  certificate: Certificate,
): CertificatePath | Refusal {
  if (keyring.timeStamps === null || timeStamp === null)
    return keyring.checkPath(certificate, carried, window, trace, effort);
  const stamp = keyring.timeStamps.verify(timeStamp, signature, window, effort);
  if ("verdict" in stamp) return stamp;
  const then = new Window(window.at, stamp);
  const outcome = keyring.checkPath(certificate, carried, then, trace, effort);
  window.narrow(then);
  return outcome;
}

/**
 * Certificates that a SignerInfo may identify: those in the message, or, if there are none, those of the keyring. If a
 * certificate in the message fails, no certificate of the keyring with the same name is tried.
 */
function candidatesFor({ keyring, carried }: Received, signer: SignerIdentifier): readonly Certificate[] {
  const inside = carried.filter((certificate) => signer.names(certificate));
  return inside.length > 0 ? inside : signer.in(keyring.anchors);
}

/** RFC 5652 5.4: the bytes that the signature covers. */
function signedBytes({ message, data, effort }: Received, signer: SignerInfo, digest: string): Uint8Array | Refusal {
  const attributes = signer.signedAttributes;
  if (attributes !== null) {
    const imprint = effort.contentDigest(digest, data);
    return checkSignedAttributes(attributes, signer, message.contentType, imprint) ?? attributes.signedBytes;
  }
  // A signature over these bytes would also be valid for a message whose signed attributes have these bytes, so the
  // data must not parse as signed attributes
  if (data[0] === TAG.set && isSetOfAttributes(data))
    return refuse("EKEYREJECTED", "RFC 5652 5.4", "the data is itself a set of signed attributes");
  return data;
}

function isSetOfAttributes(data: Uint8Array): boolean {
  try {
    return new Attributes(readDer(data, TAG.set, "attributes")).size > 0;
  } catch {
    return false;
  }
}
