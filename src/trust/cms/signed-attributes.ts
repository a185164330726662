import { type Cursor, checkSetOrder, type Element, malformed } from "../asn1/der.js";
import { CMS_OID, oidOf } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { readMoment } from "../asn1/time.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { type AlgorithmIdentifier, readAlgorithm, readAlgorithmOf, sameAlgorithm } from "../key/algorithm.js";

interface Attribute {
  readonly type: string;
  readonly values: Element;
}

/** The algorithms that a SignerInfo names outside its signed attributes. */
interface SignerAlgorithms {
  readonly digestAlgorithm: AlgorithmIdentifier;
  readonly signatureAlgorithm: AlgorithmIdentifier;
}

/** Real signers have three or four. */
const MAX_ATTRIBUTES = 32;

/** Attributes of a signer (RFC 5652 5.3): in DER order, each type once, each with at least one value. */
export class Attributes {
  readonly #attributes: readonly Attribute[];

  /** `set` has a context tag. Throws DER_MALFORMED. */
  constructor(readonly set: Element) {
    checkSetOrder(set);
    this.#attributes = set.open().each(MAX_ATTRIBUTES, "attributes", readAttribute);
    if (this.#attributes.length === 0) throw malformed("an empty set of attributes", set.start);
    for (const { type, values } of this.#attributes)
      if (this.#values(type) !== values) throw malformed("a duplicate attribute", values.start);
  }

  get size(): number {
    return this.#attributes.length;
  }

  /** The value of an attribute that must have exactly one; null if the attribute is absent. Throws DER_MALFORMED. */
  single(type: string, tag: number): Element | null {
    return this.#values(type)?.only(tag, "an attribute's value") ?? null;
  }

  /** The first value of an attribute, whatever its tag; null if the attribute is absent. Throws DER_MALFORMED. */
  first(type: string): Element | null {
    return this.#values(type)?.open().next() ?? null;
  }

  /** Types of the attributes that have more than one value. Throws DER_MALFORMED. */
  several(): readonly string[] {
    const several = this.#attributes.filter(({ values }) => values.open().next().end !== values.end);
    return several.map(({ type }) => type);
  }

  #values(type: string): Element | null {
    for (const attribute of this.#attributes) if (attribute.type === type) return attribute.values;
    return null;
  }

  /** The bytes that a signature over signed attributes covers: their DER with the tag of a SET OF (RFC 5652 5.4). */
  get signedBytes(): Buffer {
    const { bytes, start, end } = this.set;
    const signed = Buffer.allocUnsafe(end - start);
    bytes.copy(signed, 0, start, end);
    signed[0] = TAG.set;
    return signed;
  }
}

/**
 * RFC 5652 11.1 and 11.2: signed attributes must hold the content's type and its digest. signingTime (RFC 5652 11.3)
 * and CMSAlgorithmProtection (RFC 6211) are optional; each must have one value, which must agree with the SignerInfo.
 * `digest` is the content's, in lower-case hex. Throws DER_MALFORMED.
 */
export function checkSignedAttributes(
  attributes: Attributes,
  signer: SignerAlgorithms,
  contentType: string,
  digest: string,
): Refusal | null {
  for (const several of attributes.several()) {
    const rule = SINGLE_VALUED.get(several);
    if (rule !== undefined) return refuse("EBADMSG", rule, "a signed attribute with more than one value");
  }
  const type = attributes.single(CMS_OID.contentType, TAG.oid);
  if (type === null) return refuse("EBADMSG", "RFC 5652 11.1", "signed attributes without a content type");
  if (oidOf(type) !== contentType)
    return refuse("EKEYREJECTED", "RFC 5652 11.1", "the signed content type is not that of the message");
  const signed = attributes.single(CMS_OID.messageDigest, TAG.octetString);
  if (signed === null) return refuse("EBADMSG", "RFC 5652 11.2", "signed attributes without a message digest");
  const signingTime = attributes.first(CMS_OID.signingTime);
  if (signingTime !== null) readMoment(signingTime);
  const protection = attributes.single(CMS_OID.algorithmProtection, TAG.sequence);
  if (protection !== null && !isOf(protection, signer))
    return refuse("EKEYREJECTED", "RFC 6211", "the signed algorithms are not those that the signer names");
  if (signed.bytes.toString("hex", signed.body, signed.end) !== digest)
    return refuse("EKEYREJECTED", "RFC 5652 5.6", "the signature is over other data: the digests differ");
  return null;
}

/** Attributes that are read here and must have exactly one value, with the rule that requires it. */
const SINGLE_VALUED: ReadonlyMap<string, string> = new Map([
  [CMS_OID.contentType, "RFC 5652 11.1"],
  [CMS_OID.messageDigest, "RFC 5652 11.2"],
  [CMS_OID.signingTime, "RFC 5652 11.3"],
  [CMS_OID.algorithmProtection, "RFC 6211 2"],
  [CMS_OID.signingCertificate, "RFC 2634 5.4"],
  [CMS_OID.signingCertificateV2, "RFC 5035 3"],
]);

/** CMSAlgorithmProtection (RFC 6211 2). In a SignerInfo it names a digest and a signature algorithm, and no MAC. */
function isOf(protection: Element, { digestAlgorithm, signatureAlgorithm }: SignerAlgorithms): boolean {
  const cursor = protection.open();
  const digest = readAlgorithm(cursor, "a digest algorithm");
  const signature = cursor.take(context(1, true), "a signature algorithm").as(TAG.sequence);
  cursor.finish("the algorithms' protection");
  return sameAlgorithm(digest, digestAlgorithm) && sameAlgorithm(readAlgorithmOf(signature), signatureAlgorithm);
}

function readAttribute(from: Cursor): Attribute {
  const fields = from.enter(TAG.sequence, "an attribute");
  const type = fields.identifier("an attribute's type");
  const values = fields.take(TAG.set, "an attribute's values");
  fields.finish("an attribute");
  if (values.length === 0) throw malformed("an attribute without a value", values.start);
  return { type, values };
}
