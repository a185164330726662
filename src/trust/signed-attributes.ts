import { checkSetOrder, type Element, malformed } from "./der.js";
import { CMS_OID, oidOf } from "./oid.js";
import { type Refusal, refuse } from "./refusal.js";
import { TAG } from "./tag.js";

/** Signers have three or four. */
const MAX_ATTRIBUTES = 32;

/** Attributes of a signer (RFC 5652 5.3): in DER order, none twice, each with one value or more. */
export class Attributes {
  readonly #types: string[] = [];
  readonly #values: Element[] = [];

  /** `set` is tagged by context. Throws DER_MALFORMED. */
  constructor(readonly set: Element) {
    checkSetOrder(set);
    const cursor = set.open();
    while (!cursor.done) {
      const element = cursor.take(TAG.sequence, "an attribute");
      const fields = element.open();
      const type = oidOf(fields.take(TAG.oid, "an attribute's type"));
      const values = fields.take(TAG.set, "an attribute's values");
      fields.finish("an attribute");
      if (this.#types.includes(type)) throw malformed("an attribute that is there twice", element.start);
      if (values.length === 0) throw malformed("an attribute without a value", element.start);
      if (this.#types.length === MAX_ATTRIBUTES) throw malformed(`more than ${MAX_ATTRIBUTES} attributes`, set.start);
      this.#types.push(type);
      this.#values.push(values);
    }
    if (this.#types.length === 0) throw malformed("an empty set of attributes", set.start);
  }

  get size(): number {
    return this.#types.length;
  }

  /** The value of an attribute that has exactly one; null where the attribute is absent. Throws DER_MALFORMED. */
  single(type: string, tag: number): Element | null {
    return this.#values[this.#types.indexOf(type)]?.only(tag, "an attribute's value") ?? null;
  }

  /** What a signature over signed attributes is over: their DER under the tag of a SET OF (RFC 5652 5.4). */
  get signedBytes(): Buffer {
    const bytes = Buffer.from(this.set.whole);
    bytes[0] = TAG.set;
    return bytes;
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
