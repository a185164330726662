import type { Cursor, Element } from "../asn1/der.js";
import { readSmallInteger } from "../asn1/der-value.js";
import { dotted, oid } from "../asn1/oid.js";
import { context, TAG } from "../asn1/tag.js";
import { DIGESTS, digestByOid } from "../base/digest.js";
import { type Refusal, refuse } from "../base/refusal.js";

/**
 * Signature algorithms, by allow-list: an algorithm that is not in the table below is not supported (-ENOPKG), even if
 * OpenSSL supports it.
 */

/** AlgorithmIdentifier (RFC 5280 4.1.1.2). */
export interface AlgorithmIdentifier {
  readonly element: Element;
  /** Contents octets of the identifier. */
  readonly oid: string;
  readonly parameters: Element | null;
}

/** How to verify one signature. */
export interface Scheme {
  readonly family: "rsa" | "rsa-pss" | "ec" | "edwards" | "ml-dsa";
  /** A name of {@link DIGESTS}; null if the algorithm takes the whole message. */
  readonly digest: string | null;
  /** Length of the salt in bytes; used by rsa-pss only. */
  readonly salt: number;
  /** Node's name of the key type, for an algorithm that only one key type can use; null otherwise. */
  readonly keyType: string | null;
}

/** Reads an AlgorithmIdentifier and checks the DER of its parameters. Throws DER_MALFORMED. */
export function readAlgorithm(from: Cursor, what: string): AlgorithmIdentifier {
  return readAlgorithmOf(from.take(TAG.sequence, what));
}

/** Reads an AlgorithmIdentifier from an element that was taken already and may have a context tag. */
export function readAlgorithmOf(element: Element): AlgorithmIdentifier {
  const cursor = element.open();
  const identifier = cursor.identifier("an algorithm's identifier");
  const parameters = cursor.done ? null : cursor.next().check();
  cursor.finish("an algorithm");
  return { element, oid: identifier, parameters };
}

/** Whether two identifiers mean the same algorithm: absent parameters are equal to NULL. */
export function sameAlgorithm(a: AlgorithmIdentifier, b: AlgorithmIdentifier): boolean {
  if (a.oid !== b.oid) return false;
  if (isNullOrAbsent(a.parameters) || isNullOrAbsent(b.parameters))
    return isNullOrAbsent(a.parameters) && isNullOrAbsent(b.parameters);
  return a.parameters.equals(b.parameters);
}

/** The digest that a DigestAlgorithmIdentifier names. RFC 5754 2: parameters are absent or NULL. */
export function digestOf(algorithm: AlgorithmIdentifier): string | Refusal {
  const name = digestByOid(algorithm.oid);
  if (name === undefined) return unsupported("digest", algorithm);
  return isNullOrAbsent(algorithm.parameters) ? name : parametersRefused("RFC 5754 2", algorithm);
}

/**
 * The scheme of a signature. `digest` is the one that the CMS signer names; the algorithm must agree with it.
 * Certificates and CRLs pass null, since their signature algorithm includes the digest.
 */
export function schemeOf(algorithm: AlgorithmIdentifier, digest: string | null): Scheme | Refusal {
  if (algorithm.oid === RSASSA_PSS) return pssScheme(algorithm, digest);
  const row = TABLE.get(algorithm.oid);
  if (row === undefined) return unsupported("signature algorithm", algorithm);
  // RFC 4055 5 requires NULL for RSA, and requires readers to accept absent parameters. RFC 5758 3.2, RFC 8410 3 and
  // RFC 9881 require absent parameters.
  const allowed = row.family === "rsa" ? isNullOrAbsent(algorithm.parameters) : algorithm.parameters === null;
  if (!allowed) return parametersRefused(row.rule, algorithm);
  if (row.digest === FROM_SIGNER) {
    if (digest === null) return unsupported("signature algorithm", algorithm);
    return { family: row.family, digest, salt: 0, keyType: null };
  }
  if (digest !== null && row.digest !== null && row.digest !== digest)
    return refuse(
      "EKEYREJECTED",
      "RFC 5652 5.3",
      `the signature algorithm uses ${row.digest}, but the signer names ${digest}`,
    );
  // RFC 8419 3.1: with Ed25519 the digest of signed attributes is SHA-512
  if (row.keyType === "ed25519" && digest !== null && digest !== "sha512")
    return refuse("EKEYREJECTED", "RFC 8419 3.1", `Ed25519 requires SHA-512, but the signer names ${digest}`);
  return { family: row.family, digest: row.digest, salt: 0, keyType: row.keyType };
}

/** RFC 4055 3.1: both digests must be the same, the trailer field must be 1, and the salt must fit the key. */
function pssScheme(algorithm: AlgorithmIdentifier, signerDigest: string | null): Scheme | Refusal {
  const parameters = readPssParameters(algorithm);
  if ("verdict" in parameters) return parameters;
  if (signerDigest !== null && signerDigest !== parameters.digest)
    return refuse(
      "EKEYREJECTED",
      "RFC 4056 3",
      `RSASSA-PSS uses ${parameters.digest}, but the signer names ${signerDigest}`,
    );
  return { family: "rsa-pss", digest: parameters.digest, salt: parameters.salt, keyType: null };
}

/** RSASSA-PSS-params. The defaults of RFC 4055 3.1 mean SHA-1, so absent digests are rejected. Throws DER_MALFORMED. */
export function readPssParameters(algorithm: AlgorithmIdentifier): { digest: string; salt: number } | Refusal {
  if (algorithm.parameters?.tag !== TAG.sequence) return parametersRefused("RFC 4055 3.1", algorithm);
  const cursor = algorithm.parameters.open();
  const digestField = cursor.optional(context(0, true));
  const maskField = cursor.optional(context(1, true));
  const saltField = cursor.optional(context(2, true));
  cursor.finish("RSASSA-PSS parameters");
  if (digestField === null || maskField === null) return unsupported("SHA-1 in signature algorithm", algorithm);
  const digest = digestOf(only(digestField, "a digest"));
  if (typeof digest !== "string") return digest;
  const mask = only(maskField, "a mask generation function");
  if (mask.oid !== MGF1 || mask.parameters?.tag !== TAG.sequence) return unsupported("mask generation function", mask);
  const inside = maskField.only(TAG.sequence, "a mask generation function").open();
  inside.next();
  const maskDigest = digestOf(readAlgorithm(inside, "a digest"));
  if (typeof maskDigest !== "string") return maskDigest;
  if (maskDigest !== digest)
    return refuse("ENOPKG", "RFC 4055 3.1", `RSASSA-PSS with ${digest} and a mask by ${maskDigest} is not supported`);
  let salt = 20;
  if (saltField !== null) salt = readSmallInteger(saltField.only(TAG.integer, "a salt length"));
  if (salt > MAX_SALT) return refuse("EKEYREJECTED", "RFC 4055 3.1", `a salt of ${salt} bytes is too long`);
  return { digest, salt };
}

/**
 * The longest salt that fits any accepted key (RFC 8017 9.1.1): 8,192 bits minus a digest and two bytes. A smaller key
 * fails in OpenSSL.
 */
const MAX_SALT = 8192 / 8 - 32 - 2;

function only(field: Element, what: string): AlgorithmIdentifier {
  const cursor = field.open();
  const algorithm = readAlgorithm(cursor, what);
  cursor.finish(what);
  return algorithm;
}

function isNullOrAbsent(parameters: Element | null): parameters is null {
  return parameters === null || parameters.tag === TAG.null;
}

function unsupported(what: string, algorithm: AlgorithmIdentifier): Refusal {
  return refuse("ENOPKG", "algorithm allow-list", `${what} ${dotted(algorithm.oid)} is not supported`);
}

function parametersRefused(rule: string, algorithm: AlgorithmIdentifier): Refusal {
  return refuse("EKEYREJECTED", rule, `algorithm ${dotted(algorithm.oid)} has parameters that are not allowed`);
}

const MGF1 = oid("1.2.840.113549.1.1.8");
export const RSASSA_PSS = oid("1.2.840.113549.1.1.10");

/** For RSA, CMS names only the key's algorithm; the digest comes from the signer (RFC 3370 3.2). */
const FROM_SIGNER = "from signer";

interface Row {
  readonly family: Scheme["family"];
  readonly digest: string | null;
  readonly keyType: string | null;
  readonly rule: string;
}

const rsa = (digest: string): Row => ({ family: "rsa", digest, keyType: null, rule: "RFC 4055 5" });
const ecdsa = (digest: string): Row => ({ family: "ec", digest, keyType: null, rule: "RFC 5758 3.2" });
const whole = (family: Scheme["family"], keyType: string, rule: string): Row => ({
  family,
  digest: null,
  keyType,
  rule,
});

const TABLE: ReadonlyMap<string, Row> = new Map(
  Object.entries<Row>({
    "1.2.840.113549.1.1.1": rsa(FROM_SIGNER),
    "1.2.840.113549.1.1.11": rsa("sha256"),
    "1.2.840.113549.1.1.12": rsa("sha384"),
    "1.2.840.113549.1.1.13": rsa("sha512"),
    "2.16.840.1.101.3.4.3.14": rsa("sha3-256"),
    "2.16.840.1.101.3.4.3.15": rsa("sha3-384"),
    "2.16.840.1.101.3.4.3.16": rsa("sha3-512"),
    "1.2.840.10045.4.3.2": ecdsa("sha256"),
    "1.2.840.10045.4.3.3": ecdsa("sha384"),
    "1.2.840.10045.4.3.4": ecdsa("sha512"),
    "2.16.840.1.101.3.4.3.10": ecdsa("sha3-256"),
    "2.16.840.1.101.3.4.3.11": ecdsa("sha3-384"),
    "2.16.840.1.101.3.4.3.12": ecdsa("sha3-512"),
    "1.3.101.112": whole("edwards", "ed25519", "RFC 8410 3"),
    "1.3.101.113": whole("edwards", "ed448", "RFC 8410 3"),
    "2.16.840.1.101.3.4.3.17": whole("ml-dsa", "ml-dsa-44", "RFC 9881 2"),
    "2.16.840.1.101.3.4.3.18": whole("ml-dsa", "ml-dsa-65", "RFC 9881 2"),
    "2.16.840.1.101.3.4.3.19": whole("ml-dsa", "ml-dsa-87", "RFC 9881 2"),
  }).map(([name, row]) => [oid(name), row]),
);
