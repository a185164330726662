import type { KeyObject } from "node:crypto";
import { CountersignError } from "../../error.js";
import {
  element,
  identifier,
  identifierOf,
  integer,
  NULL,
  octetString,
  sequence,
  setOf,
  time,
} from "../asn1/der-writer.js";
import { CMS_OID } from "../asn1/oid.js";
import { context } from "../asn1/tag.js";
import { DIGESTS, hash } from "../base/digest.js";
import { joinModsig } from "../formats/modsig.js";
import type { Certificate } from "../x509/certificate.js";
import { publicKeyOf, publicPart, type SigningKey, signWith } from "./private-key.js";

/** A signer: a key, its certificate, and certificates to include in the signature. */
export interface SigningIdentity<Key extends SigningKey = KeyObject> {
  readonly key: Key;
  readonly certificate: Certificate;
  /** Certificates between the signer and an anchor, which the signature includes. */
  readonly chain?: readonly Certificate[];
}

/** A signer whose key is local or remote. */
export type AnyIdentity = SigningIdentity<SigningKey>;

export interface SigningOptions {
  /** A key of DIGESTS in key/algorithm.ts whose `oid` is not null; by default the one that suits the key. */
  readonly digest?: string;
  /** Whether an RSA key signs with RSASSA-PSS. */
  readonly pss?: boolean;
  /** The signing time in milliseconds since the epoch; by default now. Null omits the attribute. */
  readonly at?: number | null;
}

/**
 * A detached CMS signature over `data`, as `openssl cms -sign -binary` makes it: with signed attributes and
 * certificates, and the signer identified by issuer and serial number. Several identities make one message with several
 * signers. Returns DER. Throws SIGNING_FAILED.
 */
export function signPkcs7(
  data: Uint8Array,
  identities: AnyIdentity | readonly AnyIdentity[],
  options: SigningOptions = {},
): Buffer {
  const signers = Array.isArray(identities) ? (identities as readonly AnyIdentity[]) : [identities as AnyIdentity];
  return signedData(data, signers, { ...options, attributes: true, certificates: true, byKey: false });
}

/**
 * A signature over a BPF program's instructions in the form that the kernel accepts: SHA-256, without signed attributes
 * and certificates, the signer identified by subject key identifier. It equals the output of `openssl cms -sign -binary
 * -nocerts -noattr -keyid -md sha256`. Throws SIGNING_FAILED.
 */
export function signKernel(data: Uint8Array, identity: AnyIdentity, options: SigningOptions = {}): Buffer {
  const digest = publicKeyOf(identity.key).asymmetricKeyType === "ed25519" ? "sha512" : "sha256";
  return signedData(data, [identity], { digest, ...options, attributes: false, certificates: false, byKey: true });
}

/**
 * `data` with its signature appended, as the kernel's scripts/sign-file does it: the signer is identified by issuer and
 * serial number. Throws SIGNING_FAILED.
 */
export function signModule(data: Uint8Array, identity: AnyIdentity, options: SigningOptions = {}): Buffer {
  return joinModsig(
    data,
    signedData(data, [identity], { ...options, attributes: false, certificates: false, byKey: false }),
  );
}

interface Shape extends SigningOptions {
  readonly attributes: boolean;
  readonly certificates: boolean;
  readonly byKey: boolean;
}

function signedData(data: Uint8Array, identities: readonly AnyIdentity[], shape: Shape): Buffer {
  const signers = identities.map((identity) => signerInfo(data, identity, shape));
  const digests = new Map(signers.map(({ digest }) => [digest, digestAlgorithm(digest)]));
  const carried = new Map(
    identities
      .flatMap(({ certificate, chain = [] }) => [certificate, ...chain])
      .map((certificate) => [certificate.element.key, certificate.der]),
  );
  const content = sequence(
    integer(shape.byKey ? 3 : 1),
    setOf([...digests.values()]),
    sequence(identifierOf(CMS_OID.data)),
    ...(shape.certificates ? [setOf([...carried.values()], context(0, true))] : []),
    setOf(signers.map(({ info }) => info)),
  );
  return sequence(identifierOf(CMS_OID.signedData), element(context(0, true), content));
}

function signerInfo(data: Uint8Array, identity: AnyIdentity, shape: Shape): { digest: string; info: Buffer } {
  const { key, certificate } = identity;
  if (!certificate.publicKey.spki.whole.equals(publicPart(key)))
    throw failed(
      `the key does not belong to certificate \`${certificate}\``,
      "give the key and the certificate of one signer",
    );
  const algorithm = algorithmOf(key, shape);
  const attributes = shape.attributes
    ? signedAttributes(data, algorithm.digest, shape.at === undefined ? Date.now() : shape.at)
    : null;
  const signature = algorithm.sign(attributes === null ? data : setOf(attributes));
  const info = sequence(
    integer(shape.byKey ? 3 : 1),
    shape.byKey ? keyIdentifier(certificate) : sequence(certificate.issuer.element.whole, certificate.serial.whole),
    digestAlgorithm(algorithm.digest),
    ...(attributes === null ? [] : [setOf(attributes, context(0, true))]),
    algorithm.identifier,
    octetString(signature),
  );
  return { digest: algorithm.digest, info };
}

function keyIdentifier(certificate: Certificate): Buffer {
  if (certificate.subjectKeyIdentifier === null)
    throw failed(`certificate \`${certificate}\` has no subject key identifier`, "issue it with one, or sign as pkcs7");
  return element(context(0, false), Buffer.from(certificate.subjectKeyIdentifier, "latin1"));
}

/** RFC 5652 11: content type, signing time (unless `at` is null), message digest. */
function signedAttributes(data: Uint8Array, digest: string, at: number | null): readonly Buffer[] {
  const attribute = (type: string, value: Buffer): Buffer => sequence(identifierOf(type), setOf([value]));
  return [
    attribute(CMS_OID.contentType, identifierOf(CMS_OID.data)),
    ...(at === null ? [] : [attribute(CMS_OID.signingTime, time(at))]),
    attribute(CMS_OID.messageDigest, octetString(Buffer.from(hash(digest, data), "hex"))),
  ];
}

/** RFC 5754 2: without parameters. */
function digestAlgorithm(name: string): Buffer {
  return sequence(identifierOf(DIGESTS[name]?.oid as string));
}

/** The algorithm with which one key signs. */
interface SigningAlgorithm {
  readonly digest: string;
  /** The AlgorithmIdentifier in DER. */
  readonly identifier: Buffer;
  readonly sign: (bytes: Uint8Array) => Buffer;
}

/** The signature algorithm of a key, in CMS or in certificates and CRLs. Throws SIGNING_FAILED. */
export function algorithmOf(
  key: SigningKey,
  { digest, pss = false }: SigningOptions = {},
  place: "cms" | "x509" = "cms",
): SigningAlgorithm {
  const { asymmetricKeyType: type = "none", asymmetricKeyDetails } = publicKeyOf(key);
  if (digest !== undefined && typeof DIGESTS[digest]?.oid !== "string")
    throw failed(`\`${digest}\` is not a digest for signatures`, "use sha256, sha384 or sha512");
  if (type === "ed25519") {
    // RFC 8419 3.1: the digest of signed attributes is SHA-512
    if (digest !== undefined && digest !== "sha512") throw failed("Ed25519 requires sha512", "leave the digest out");
    return {
      digest: "sha512",
      identifier: sequence(identifier("1.3.101.112")),
      sign: (bytes) => signWith(key, null, bytes),
    };
  }
  if (type === "rsa-pss" || (type === "rsa" && pss)) return pssAlgorithm(key, digest ?? "sha256");
  if (type === "rsa") {
    const name = digest ?? "sha256";
    const known = place === "cms" ? "1.2.840.113549.1.1.1" : RSA_WITH[name];
    if (known === undefined) throw failed(`RSA with \`${name}\` is not supported`, "use sha256, sha384 or sha512");
    return { digest: name, identifier: sequence(identifier(known), NULL), sign: (bytes) => signWith(key, name, bytes) };
  }
  if (type === "ec") {
    const curve = asymmetricKeyDetails?.namedCurve ?? "";
    const name = digest ?? CURVE_DIGEST[curve] ?? "sha256";
    const known = ECDSA_WITH[name];
    if (known === undefined) throw failed(`ECDSA with \`${name}\` is not supported`, "use sha256, sha384 or sha512");
    return { digest: name, identifier: sequence(identifier(known)), sign: (bytes) => signWith(key, name, bytes) };
  }
  throw failed(`signing with a key of type \`${type}\` is not supported`, "use an RSA, ECDSA or Ed25519 key");
}

/** RFC 4055 3.1, with a salt of the digest's length. */
function pssAlgorithm(key: SigningKey, digest: string): SigningAlgorithm {
  const saltLength = DIGESTS[digest]?.size as number;
  const hashed = digestAlgorithm(digest);
  const parameters = sequence(
    element(context(0, true), hashed),
    element(context(1, true), sequence(identifier("1.2.840.113549.1.1.8"), hashed)),
    element(context(2, true), integer(saltLength)),
  );
  return {
    digest,
    identifier: sequence(identifier("1.2.840.113549.1.1.10"), parameters),
    sign: (bytes) => signWith(key, digest, bytes, saltLength),
  };
}

const RSA_WITH: Readonly<Record<string, string>> = {
  sha256: "1.2.840.113549.1.1.11",
  sha384: "1.2.840.113549.1.1.12",
  sha512: "1.2.840.113549.1.1.13",
};
const ECDSA_WITH: Readonly<Record<string, string>> = {
  sha256: "1.2.840.10045.4.3.2",
  sha384: "1.2.840.10045.4.3.3",
  sha512: "1.2.840.10045.4.3.4",
};
/** Keyed by node's names of P-384 and P-521; other curves use SHA-256. */
const CURVE_DIGEST: Readonly<Record<string, string>> = { secp384r1: "sha384", secp521r1: "sha512" };

function failed(message: string, remedy: string): CountersignError {
  return new CountersignError("SIGNING_FAILED", message, { remedy });
}
