import { type Cursor, checkSetOrder, type Element, malformed } from "../asn1/der.js";
import { CMS_OID, oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { type Refusal, refuse } from "../refusal.js";

interface Attribute {
  readonly type: string;
  readonly values: Element;
}

/** Signers have three or four. */
const MAX_ATTRIBUTES = 32;

/** Attributes of a signer (RFC 5652 5.3): in DER order, none twice, each with one value or more. */
export class Attributes {
  readonly #attributes: readonly Attribute[];

  /** `set` is tagged by context. Throws DER_MALFORMED. */
  constructor(readonly set: Element) {
    checkSetOrder(set);
    this.#attributes = set.open().each(MAX_ATTRIBUTES, "attributes", readAttribute);
    if (this.#attributes.length === 0) throw malformed("an empty set of attributes", set.start);
    for (const { type, values } of this.#attributes)
      if (this.#values(type) !== values) throw malformed("an attribute that is there twice", values.start);
  }

  get size(): number {
    return this.#attributes.length;
  }

  /** The value of an attribute that has exactly one; null where the attribute is absent. Throws DER_MALFORMED. */
  single(type: string, tag: number): Element | null {
    return this.#values(type)?.only(tag, "an attribute's value") ?? null;
  }

  #values(type: string): Element | null {
    for (const attribute of this.#attributes) if (attribute.type === type) return attribute.values;
    return null;
  }

  /** What a signature over signed attributes is over: their DER under the tag of a SET OF (RFC 5652 5.4). */
  get signedBytes(): Buffer {
    const { bytes, start, end } = this.set;
    const signed = Buffer.allocUnsafe(end - start);
    bytes.copy(signed, 0, start, end);
    signed[0] = TAG.set;
    return signed;
  }
}

/**
 * RFC 5652 11.1 and 11.2: signed attributes hold the content's type and its digest. `digest` is the content's, in lower-case hex.
 * Throws DER_MALFORMED.
 */
export function checkSignedAttributes(attributes: Attributes, contentType: string, digest: string): Refusal | null {
  const type = attributes.single(CMS_OID.contentType, TAG.oid);
  if (type === null) return refuse("EBADMSG", "RFC 5652 11.1", "signed attributes without a content type");
  if (oidOf(type) !== contentType)
    return refuse("EKEYREJECTED", "RFC 5652 11.1", "the signed content type is not that of the message");
  const signed = attributes.single(CMS_OID.messageDigest, TAG.octetString);
  if (signed === null) return refuse("EBADMSG", "RFC 5652 11.2", "signed attributes without a message digest");
  if (signed.bytes.toString("hex", signed.body, signed.end) !== digest)
    return refuse("EKEYREJECTED", "RFC 5652 5.6", "the signature is over other data: the digests differ");
  return null;
}

function readAttribute(from: Cursor): Attribute {
  const fields = from.enter(TAG.sequence, "an attribute");
  const type = fields.identifier("an attribute's type");
  const values = fields.take(TAG.set, "an attribute's values");
  fields.finish("an attribute");
  if (values.length === 0) throw malformed("an attribute without a value", values.start);
  return { type, values };
}
