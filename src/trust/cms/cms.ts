import { type Cursor, checkDer, type Element, malformed, readDer } from "../asn1/der.js";
import { readSmallInteger } from "../asn1/der-value.js";
import { CMS_OID, dotted } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { type AlgorithmIdentifier, readAlgorithm } from "../key/algorithm.js";
import { Attributes } from "./signed-attributes.js";
import { SignerIdentifier } from "./signer-identifier.js";

/**
 * CMS SignedData (RFC 5652 5). Reading checks that it is DER, except for the certificates, which are checked when each
 * is first used. Nothing is verified here.
 */
export interface SignedData {
  /** Contents octets of eContentType. */
  readonly contentType: string;
  /** The content that is inside the message; null for a detached signature. */
  readonly content: Buffer | null;
  /** Contents octets of the identifiers in digestAlgorithms. */
  readonly digestAlgorithms: readonly string[];
  /** Not parsed yet. At most {@link MAX_CERTIFICATES}. */
  readonly certificates: readonly Element[];
  readonly carriesCrls: boolean;
  readonly signers: readonly SignerInfo[];
}

/** SignerInfo (RFC 5652 5.3). */
export interface SignerInfo {
  readonly identifier: SignerIdentifier;
  readonly digestAlgorithm: AlgorithmIdentifier;
  /** Null if there are none: the signature then covers the content itself. */
  readonly signedAttributes: Attributes | null;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  /** The DER of a time stamp token over the signature (RFC 3161 appendix A); null if there is none. */
  readonly timeStamp: Buffer | null;
}

/** No chain needs more; a message with more certificates is rejected before any is parsed. */
const MAX_CERTIFICATES = 64;
const MAX_SIGNERS = 16;

/** Throws DER_MALFORMED with the offset in `bytes`. */
export function readSignedData(bytes: Uint8Array): SignedData {
  const outer = readDer(bytes, TAG.sequence, "a CMS message").open();
  const type = outer.identifier("a content type");
  if (type !== CMS_OID.signedData) throw malformed(`a CMS message of type ${dotted(type)}, not SignedData`, 0);
  const wrapper = outer.enter(context(0, true), "SignedData");
  outer.finish("a CMS message");
  const cursor = wrapper.enter(TAG.sequence, "SignedData");
  wrapper.finish("SignedData");

  const version = cursor.take(TAG.integer, "a version");
  const digests = cursor.take(TAG.set, "digest algorithms");
  const encapsulated = cursor.take(TAG.sequence, "the encapsulated content").check();
  const certificates = cursor.optional(context(0, true));
  const crls = cursor.optional(context(1, true));
  const signerInfos = cursor.take(TAG.set, "signers");
  cursor.finish("SignedData");
  checkDer(digests.bytes, digests.start, digests.end);
  checkDer(signerInfos.bytes, signerInfos.start, signerInfos.end);

  const { contentType, content } = readEncapsulated(encapsulated);
  const signers = readSigners(signerInfos);
  const expected = signers.some(({ identifier }) => identifier.byKey) || contentType !== CMS_OID.data ? 3 : 1;
  // RFC 5652 5.1: the contents determine the version
  if (readSmallInteger(version) !== expected) throw malformed(`version ${expected} expected`, version.start);
  return {
    contentType,
    content,
    digestAlgorithms: readDigestAlgorithms(digests),
    certificates: certificates === null ? [] : readCertificates(certificates),
    carriesCrls: crls !== null,
    signers,
  };
}

function readEncapsulated(sequence: Element): { contentType: string; content: Buffer | null } {
  const cursor = sequence.open();
  const contentType = cursor.identifier("the content's type");
  const content = cursor.optional(context(0, true));
  cursor.finish("the encapsulated content");
  return { contentType, content: content === null ? null : content.only(TAG.octetString, "the content").contents };
}

function readDigestAlgorithms(set: Element): readonly string[] {
  return set.open().each(MAX_SIGNERS, "digest algorithms", (cursor) => readAlgorithm(cursor, "a digest algorithm").oid);
}

/**
 * CertificateSet: certificates only, without duplicates. The order is not checked and duplicates are dropped, since no
 * signature covers the set, and OpenSSL, the kernel and many authorities write it in any order.
 */
function readCertificates(set: Element): readonly Element[] {
  const take = (cursor: Cursor): Element => cursor.take(TAG.sequence, "a certificate");
  const certificates = set.open().each(MAX_CERTIFICATES, "certificates", take);
  return certificates.filter((one, index) => certificates.findIndex((other) => other.equals(one)) === index);
}

function readSigners(set: Element): readonly SignerInfo[] {
  const enter = (cursor: Cursor): SignerInfo => readSigner(cursor.enter(TAG.sequence, "a signer"));
  const signers = set.open().each(MAX_SIGNERS, "signers", enter);
  if (signers.length === 0) throw malformed("a signature without a signer", set.start);
  return signers;
}

function readSigner(cursor: Cursor): SignerInfo {
  const version = cursor.take(TAG.integer, "a signer's version");
  const keyIdentifier = cursor.optional(context(0, false));
  const identifier = SignerIdentifier.read(keyIdentifier ?? cursor.take(TAG.sequence, "a signer's identifier"));
  // RFC 5652 5.3: version 3 requires a key identifier, version 1 an issuer and serial number
  const expected = identifier.byKey ? 3 : 1;
  if (readSmallInteger(version) !== expected) throw malformed(`signer version ${expected} expected`, version.start);
  const digestAlgorithm = readAlgorithm(cursor, "a signer's digest algorithm");
  const signedAttributes = cursor.optional(context(0, true));
  const signatureAlgorithm = readAlgorithm(cursor, "a signer's signature algorithm");
  const signature = cursor.take(TAG.octetString, "a signature").contents;
  const unsignedAttributes = cursor.optional(context(1, true));
  cursor.finish("a signer");
  return {
    identifier,
    digestAlgorithm,
    signedAttributes: signedAttributes === null ? null : new Attributes(signedAttributes),
    signatureAlgorithm,
    signature,
    timeStamp: unsignedAttributes === null ? null : readTimeStamp(unsignedAttributes),
  };
}

/**
 * No signature covers the unsigned attributes, so only an attribute that is signed itself, a time stamp, is accepted.
 */
function readTimeStamp(set: Element): Buffer {
  const attributes = new Attributes(set);
  const token = attributes.single(CMS_OID.timeStampToken, TAG.sequence);
  if (token === null || attributes.size !== 1)
    throw malformed("an unsigned attribute that is not a time stamp", set.start);
  return token.whole;
}
