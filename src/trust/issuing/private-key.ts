import { constants, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { CountersignError } from "../../error.js";
import { readDer } from "../asn1/der.js";
import { integer, sequence } from "../asn1/der-writer.js";
import { dotted } from "../asn1/oid.js";
import { isPem, readPem } from "../asn1/pem.js";
import { TAG } from "../asn1/tag.js";
import type { SourceFile } from "../model/keyring-rules.js";
import { OPENSSH_LABEL, readOpenSshKey } from "./openssh-key.js";

/** A private key from PEM or DER: PKCS#8, PKCS#1 or SEC1, encrypted or not. Throws KEY_MALFORMED with the file. */
export function readPrivateKey({ path, bytes }: SourceFile, passphrase: string | null = null): KeyObject {
  const secret = passphrase === null ? {} : { passphrase };
  const key = Buffer.from(bytes);
  const openSsh = isPem(bytes) ? readPem(bytes).find(({ label }) => label === OPENSSH_LABEL) : undefined;
  if (openSsh !== undefined) return within(path, () => readOpenSshKey(openSsh.bytes));
  if (isPem(bytes))
    return attempt(path, bytes, passphrase, [() => createPrivateKey({ key, format: "pem", ...secret })]);
  return attempt(
    path,
    bytes,
    passphrase,
    (["pkcs8", "pkcs1", "sec1"] as const).map(
      (type) => () => createPrivateKey({ key, format: "der", type, ...secret }),
    ),
  );
}

/** A private key that cannot be read, such as one in a token. */
export interface RemoteKey {
  readonly publicKey: KeyObject;
  /**
   * `digest` is null if the algorithm takes the whole message; `saltLength` is null unless the algorithm is RSASSA-PSS.
   */
  readonly sign: (digest: string | null, bytes: Uint8Array, saltLength: number | null) => Buffer;
}

export type SigningKey = KeyObject | RemoteKey;

export function publicKeyOf(key: SigningKey): KeyObject {
  return "publicKey" in key ? key.publicKey : createPublicKey(key);
}

/** The SubjectPublicKeyInfo of a private key, in DER. */
export function publicPart(key: SigningKey): Buffer {
  return publicKeyOf(key).export({ type: "spki", format: "der" });
}

/**
 * A bare signature by a local or remote key. A remote key's signature is verified before it is returned. Throws
 * SIGNING_FAILED.
 */
export function signWith(
  key: SigningKey,
  digest: string | null,
  bytes: Uint8Array,
  saltLength: number | null = null,
): Buffer {
  const padding = saltLength === null ? {} : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength };
  if (!("publicKey" in key)) return sign(digest, bytes, { key, ...padding });
  const signature = key.sign(digest, bytes, saltLength);
  for (const one of [signature, ...fromNumbers(key.publicKey, signature)])
    if (verify(digest, bytes, { key: key.publicKey, ...padding }, one)) return one;
  throw new CountersignError("SIGNING_FAILED", "the signature that the key returned does not verify", {
    remedy: "give the certificate that belongs to the key",
  });
}

/**
 * The DER of an ECDSA signature that consists of two numbers of the curve's size (IEEE P1363), as many tokens and
 * services return it.
 */
function fromNumbers({ asymmetricKeyType: type }: KeyObject, signature: Buffer): readonly Buffer[] {
  if (type !== "ec" || signature.length < 2 || signature.length % 2 !== 0) return [];
  const half = signature.length / 2;
  const numbers = [signature.subarray(0, half), signature.subarray(half)];
  return [sequence(...numbers.map((number) => integer(BigInt(`0x${number.toString("hex")}`))))];
}

function within<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof CountersignError ? error.within(path) : error;
  }
}

/** Key types that only newer versions of OpenSSL support (RFC 9881, RFC 9909). */
const NEWER: Readonly<Record<string, string>> = {
  "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
  "2.16.840.1.101.3.4.3.18": "ML-DSA-65",
  "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
};
/** The identifiers of SLH-DSA's twelve parameter sets end in 20 to 31. */
const SLH_DSA = /^2\.16\.840\.1\.101\.3\.4\.3\.(?:2\d|3[01])$/;
/** RSA, RSASSA-PSS, ECDSA, Ed25519, Ed448: every OpenSSL supports these, so one that cannot be read is malformed. */
const EVERYWHERE = /^(?:1\.2\.840\.113549\.1\.1\.(?:1|10)|1\.2\.840\.10045\.2\.1|1\.3\.101\.11[23])$/;

/**
 * The type of a PKCS#8 key (RFC 5958) that this OpenSSL may not support; null if every OpenSSL supports it, or if it is
 * not such a key.
 */
function typeOf(bytes: Uint8Array): string | null {
  try {
    const der = isPem(bytes) ? readPem(bytes).find(({ label }) => label === "PRIVATE KEY")?.bytes : bytes;
    const fields = readDer(der ?? new Uint8Array(0), TAG.sequence, "a private key").open();
    fields.take(TAG.integer, "a version");
    const identifier = dotted(fields.enter(TAG.sequence, "an algorithm").identifier("an algorithm's identifier"));
    if (EVERYWHERE.test(identifier)) return null;
    return NEWER[identifier] ?? (SLH_DSA.test(identifier) ? "SLH-DSA" : identifier);
  } catch {
    return null;
  }
}

function locked(place: string, passphrase: string | null, cause: unknown): CountersignError {
  const message = passphrase === null ? "is encrypted" : "does not open with this passphrase";
  const remedy = "give its passphrase with --passphrase-file, -fd or -credential";
  return new CountersignError("KEY_MALFORMED", message, { place, remedy, cause });
}

/**
 * Whether a key file is encrypted: EncryptedPrivateKeyInfo (RFC 5958, 3), an algorithm and an octet string, or PEM with
 * the header of RFC 1421.
 */
function isEncrypted(bytes: Uint8Array): boolean {
  if (isPem(bytes))
    return /^-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type:[ \t]*4,[ \t]*ENCRYPTED/m.test(Buffer.from(bytes).toString());
  try {
    const fields = readDer(bytes, TAG.sequence, "a private key").open();
    fields.take(TAG.sequence, "an algorithm");
    fields.take(TAG.octetString, "an encrypted key");
    return true;
  } catch {
    return false;
  }
}

function attempt(
  path: string,
  bytes: Uint8Array,
  passphrase: string | null,
  readers: readonly (() => KeyObject)[],
): KeyObject {
  let cause: unknown;
  for (const read of readers) {
    try {
      return read();
    } catch (error) {
      cause = error;
    }
  }
  // OpenSSL's errors do not say it: a wrong passphrase gives the right padding and a random key in one case of 256
  if (isEncrypted(bytes)) throw locked(path, passphrase, cause);
  const type = typeOf(bytes);
  if (type !== null)
    throw new CountersignError(
      "KEY_MALFORMED",
      `is a key of type ${type}, which this node's OpenSSL ${process.versions.openssl} does not have`,
      { place: path, remedy: "use a newer node, or an RSA, ECDSA or Ed25519 key", cause },
    );
  throw new CountersignError("KEY_MALFORMED", "is not a private key in a known format", {
    place: path,
    remedy: "give PKCS#8, PKCS#1 or SEC1 in PEM or DER, as `openssl genpkey` writes it",
    cause,
  });
}
