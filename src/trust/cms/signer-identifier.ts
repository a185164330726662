import type { Element } from "../asn1/der.js";
import { oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import type { Certificate } from "../x509/certificate.js";
import type { CertificateIndex } from "../x509/certificate-index.js";
import { Name } from "../x509/name.js";

/**
 * Identifies a signer (RFC 5652 5.3) by issuer and serial number, or by subject key identifier. Encoded bytes are
 * compared.
 */
export class SignerIdentifier {
  private constructor(
    readonly issuer: Element | null,
    /** The serial number, or the key identifier. */
    readonly element: Element,
  ) {}

  /** `element` is IssuerAndSerialNumber, or the key identifier with its context tag. Throws DER_MALFORMED. */
  static read(element: Element): SignerIdentifier {
    if (element.tag !== TAG.sequence) return new SignerIdentifier(null, element);
    const cursor = element.open();
    const issuer = cursor.take(TAG.sequence, "an issuer");
    const serial = cursor.take(TAG.integer, "a serial number");
    cursor.finish("a signer's issuer and serial number");
    return new SignerIdentifier(issuer, serial);
  }

  get byKey(): boolean {
    return this.issuer === null;
  }

  /** The encoded identifier, one character per byte, for comparison. */
  get key(): string {
    return (this.issuer?.key ?? "") + this.element.key;
  }

  /** Whether this identifies the certificate. */
  names(certificate: Certificate): boolean {
    if (this.issuer === null) return certificate.subjectKeyIdentifier === oidOf(this.element);
    return this.element.equals(certificate.serial) && this.issuer.equals(certificate.issuer.element);
  }

  /** The certificates of an index that this identifies. */
  in(index: CertificateIndex): readonly Certificate[] {
    if (this.issuer === null) return index.byKeyIdentifier(oidOf(this.element));
    return index.byIdentity(this.issuer.key + this.element.key);
  }

  /** For messages. */
  toString(): string {
    const hex = this.element.contents.toString("hex");
    return this.issuer === null ? `with key id ${hex}` : `\`${new Name(this.issuer)}\` serial ${hex}`;
  }
}
