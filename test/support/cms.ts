/** CMS messages put together part by part, for what no honest tool would make. */
import { sign } from "node:crypto";
import {
  element,
  identifier,
  identifierOf,
  integer,
  NULL,
  octetString,
  sequence,
  setOf,
} from "../../src/trust/asn1/der-writer.js";
import { CMS_OID } from "../../src/trust/asn1/oid.js";
import { context } from "../../src/trust/asn1/tag.js";
import { hash } from "../../src/trust/base/digest.js";
import type { SigningIdentity } from "../../src/trust/issuing/sign-cms.js";

export const SHA256 = sequence(identifier("2.16.840.1.101.3.4.2.1"));
const ECDSA_SHA256 = sequence(identifier("1.2.840.10045.4.3.2"));
const RSA = sequence(identifier("1.2.840.113549.1.1.1"), NULL);

/** One attribute with its values. */
export const attribute = (type: string, ...values: readonly Buffer[]): Buffer =>
  sequence(identifierOf(type), setOf(values));

/** The two attributes that signed ones must hold. */
export const usualAttributes = (data: Uint8Array): readonly Buffer[] => [
  attribute(CMS_OID.contentType, identifierOf(CMS_OID.data)),
  attribute(CMS_OID.messageDigest, octetString(Buffer.from(hash("sha256", data), "hex"))),
];

export interface SignerParts {
  /** In the order that they are to have; null for none. */
  readonly attributes?: readonly Buffer[] | null;
  /** Instead of a true one. */
  readonly signature?: Buffer;
  readonly unsigned?: Buffer;
  /** The digest algorithm that it names. */
  readonly digest?: Buffer;
}

/** A SignerInfo by issuer and serial number, with SHA-256. */
export function signerInfo(data: Uint8Array, { key, certificate }: SigningIdentity, parts: SignerParts = {}): Buffer {
  const attributes = parts.attributes === undefined ? usualAttributes(data) : parts.attributes;
  const signed = attributes === null ? data : element(0x31, ...attributes);
  return sequence(
    integer(1),
    sequence(certificate.issuer.element.whole, certificate.serial.whole),
    parts.digest ?? SHA256,
    ...(attributes === null ? [] : [element(context(0, true), ...attributes)]),
    key.asymmetricKeyType === "rsa" ? RSA : ECDSA_SHA256,
    octetString(parts.signature ?? sign("sha256", signed, key)),
    ...(parts.unsigned === undefined ? [] : [parts.unsigned]),
  );
}

export interface MessageParts {
  readonly content?: Buffer;
  readonly contentType?: string;
  /** In the order that they are to have. */
  readonly certificates?: readonly Buffer[];
  readonly digests?: readonly Buffer[];
  readonly version?: number;
  readonly crls?: readonly Buffer[];
}

/** SignedData around SignerInfos. */
export function message(signers: readonly Buffer[], parts: MessageParts = {}): Buffer {
  const { content, certificates = [], crls = [] } = parts;
  return sequence(
    identifierOf(CMS_OID.signedData),
    element(
      context(0, true),
      sequence(
        integer(parts.version ?? 1),
        setOf(parts.digests ?? [SHA256]),
        sequence(
          identifierOf(parts.contentType ?? CMS_OID.data),
          ...(content === undefined ? [] : [element(context(0, true), octetString(content))]),
        ),
        ...(certificates.length === 0 ? [] : [element(context(0, true), ...certificates)]),
        ...(crls.length === 0 ? [] : [setOf(crls, context(1, true))]),
        setOf(signers),
      ),
    ),
  );
}
