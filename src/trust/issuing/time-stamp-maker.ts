import { randomBytes } from "node:crypto";
import { CountersignError } from "../../error.js";
import { type Element, readDer } from "../asn1/der.js";
import { readSmallInteger } from "../asn1/der-value.js";
import { element, identifier, identifierOf, integer, NULL, octetString, sequence, setOf } from "../asn1/der-writer.js";
import { CMS_OID, KEY_PURPOSE } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { DIGESTS, hash } from "../base/digest.js";
import { readSignedData } from "../cms/cms.js";
import { readInfo } from "../cms/time-stamp.js";
import type { Certificate } from "../x509/certificate.js";
import { type AnyIdentity, algorithmOf } from "./sign-cms.js";

/** Returns the DER of a time stamp token (RFC 3161) over a signature's value. */
export type TimeStamper = (signature: Uint8Array) => Promise<Uint8Array>;

/**
 * Adds a time stamp to each signer of a signature, as an unsigned attribute (RFC 3161 appendix A). Throws
 * DER_MALFORMED.
 */
export async function stamped(cms: Uint8Array, stamper: TimeStamper): Promise<Buffer> {
  const outer = readDer(cms, TAG.sequence, "a CMS message").open();
  const type = outer.next();
  const fields = children(outer.next().only(TAG.sequence, "SignedData"));
  const infos = children(fields.pop() as Element);
  const tokens: Uint8Array[] = [];
  for (const { signature } of readSignedData(cms).signers) tokens.push(await stamper(signature));
  const signers = infos.map((info, index) => {
    const attribute = sequence(identifierOf(CMS_OID.timeStampToken), setOf([tokens[index] as Uint8Array]));
    const kept = children(info).filter(({ tag }, position) => position === 0 || tag !== context(1, true));
    return sequence(...kept.map(({ whole }) => whole), setOf([attribute], context(1, true)));
  });
  const content = sequence(...fields.map(({ whole }) => whole), setOf(signers));
  return sequence(type.whole, element(context(0, true), content));
}

/** The request to a time-stamping authority: TimeStampReq (RFC 3161 2.4.1), with a nonce and with certReq set. */
export interface TimeStampRequest {
  readonly der: Buffer;
  readonly imprint: Buffer;
  readonly nonce: Buffer;
}

export function timeStampRequest(signature: Uint8Array): TimeStampRequest {
  const imprint = imprintOf(signature);
  const nonce = integer(BigInt(`0x${randomBytes(8).toString("hex")}`));
  return { der: sequence(integer(1), imprint, nonce, TRUE), imprint, nonce };
}

/** The token in a TimeStampResp (RFC 3161 2.4.2). Throws SIGNING_FAILED if the response does not match the request. */
export function tokenOf(response: Uint8Array, { imprint, nonce }: TimeStampRequest): Buffer {
  try {
    const cursor = readDer(response, TAG.sequence, "a time stamp response").open();
    const status = cursor.take(TAG.sequence, "a status").open().take(TAG.integer, "a status");
    // 0 is granted, 1 is grantedWithMods
    if (readSmallInteger(status) > 1)
      throw failed(`the authority rejected the request, with status ${readSmallInteger(status)}`);
    const token = cursor.take(TAG.sequence, "a token").whole;
    cursor.finish("a time stamp response");
    const { content } = readSignedData(token);
    const info = readInfo(content ?? Buffer.alloc(0));
    const answered = sequence(info.digest.element.whole, octetString(info.imprint));
    if (!sameImprint(answered, imprint) || info.nonce?.whole.equals(nonce) !== true)
      throw failed("the response does not match the request");
    return Buffer.from(token);
  } catch (cause) {
    if (cause instanceof CountersignError && cause.code === "SIGNING_FAILED") throw cause;
    throw failed(`the authority's answer cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** A local time-stamping authority, for demonstrations, tests and isolated networks. */
export function localStamper(identity: AnyIdentity, at: () => number = Date.now): TimeStamper {
  const { certificate, chain = [] } = identity;
  if (certificate.extendedKeyUsage?.has(KEY_PURPOSE.timeStamping as string) !== true)
    throw failed(
      `certificate \`${certificate}\` is not for time stamps (RFC 3161 2.3)`,
      undefined,
      "issue it with `extendedKeyUsage = critical, timeStamping`, or leave out --timestamp-key and --timestamp-cert",
    );
  const carried = new Map([certificate, ...chain].map((item) => [item.element.key, item.der]));
  return async (signature) => {
    const info = sequence(
      integer(1),
      identifier(POLICY),
      imprintOf(signature),
      integer(BigInt(`0x00${randomBytes(8).toString("hex")}`)),
      element(TAG.generalizedTime, Buffer.from(generalized(at()))),
    );
    return token(info, identity, [...carried.values()]);
  };
}

/** The TSA policy that tokens name: `anyPolicy`, since this authority has none. */
const POLICY = "2.5.29.32.0";
const TRUE = element(TAG.boolean, Buffer.of(0xff));

function token(info: Buffer, { key, certificate }: AnyIdentity, carried: readonly Buffer[]): Buffer {
  const algorithm = algorithmOf(key);
  const digest = sequence(identifierOf(DIGESTS[algorithm.digest]?.oid as string));
  const attribute = (type: string, value: Buffer): Buffer => sequence(identifierOf(type), setOf([value]));
  const attributes = [
    attribute(CMS_OID.contentType, identifierOf(CMS_OID.timeStampInfo)),
    attribute(CMS_OID.messageDigest, octetString(Buffer.from(hash(algorithm.digest, info), "hex"))),
    attribute(CMS_OID.signingCertificateV2, sequence(sequence(sequence(octetString(digestOf(certificate)))))),
  ];
  const signer = sequence(
    integer(1),
    sequence(certificate.issuer.element.whole, certificate.serial.whole),
    digest,
    setOf(attributes, context(0, true)),
    algorithm.identifier,
    octetString(algorithm.sign(setOf(attributes))),
  );
  const signedData = sequence(
    integer(3),
    setOf([digest]),
    sequence(identifierOf(CMS_OID.timeStampInfo), element(context(0, true), octetString(info))),
    setOf(carried, context(0, true)),
    setOf([signer]),
  );
  return sequence(identifierOf(CMS_OID.signedData), element(context(0, true), signedData));
}

const digestOf = (certificate: Certificate): Buffer => Buffer.from(hash("sha256", certificate.der), "hex");

/** MessageImprint with SHA-256. The parameters are NULL, which every authority accepts. */
function imprintOf(signature: Uint8Array): Buffer {
  const algorithm = sequence(identifierOf(DIGESTS.sha256?.oid as string), NULL);
  return sequence(algorithm, octetString(Buffer.from(hash("sha256", signature), "hex")));
}

/** Compares the digests only: an authority may omit the parameters of the algorithm. */
function sameImprint(one: Buffer, other: Buffer): boolean {
  const digest = (der: Buffer): Buffer => children(readDer(der, TAG.sequence, "an imprint")).at(-1)?.whole as Buffer;
  return digest(one).equals(digest(other));
}

function generalized(moment: number): string {
  return `${new Date(moment).toISOString().replace(/[-:T]|\.\d+Z/g, "")}Z`;
}

function children(parent: Element): Element[] {
  const elements: Element[] = [];
  const cursor = parent.open();
  while (!cursor.done) elements.push(cursor.next());
  return elements;
}

function failed(
  message: string,
  cause?: unknown,
  remedy = "ask another authority, or sign without --timestamp",
): CountersignError {
  return new CountersignError("SIGNING_FAILED", `no time stamp: ${message}`, { remedy, cause });
}
