import { constants, createPublicKey, type KeyObject, verify } from "node:crypto";
import { CountersignError } from "../../error.js";
import { type Element, readDer } from "../asn1/der.js";
import { readOctets, readUnsigned } from "../asn1/der-value.js";
import { element, identifier, identifierOf, NULL, sequence } from "../asn1/der-writer.js";
import { dotted, oid, oidOf } from "../asn1/oid.js";
import { TAG } from "../asn1/tag.js";
import { hash } from "../base/digest.js";
import type { Effort } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { type AlgorithmIdentifier, RSASSA_PSS, readAlgorithm, readPssParameters, type Scheme } from "./algorithm.js";
import { edwardsWeakness } from "./edwards.js";
import { verificationCost } from "./key-cost.js";

/**
 * A public key (SubjectPublicKeyInfo, RFC 5280 4.1.2.7). Its type and strength are checked here, before OpenSSL parses
 * it; OpenSSL imports it once, at first use. A key that may not be used can still be read, and `problem` says why it
 * may not.
 */
export class PublicKey {
  /** `RSA 2048`, `P-256`, `ed25519` … for messages. */
  readonly description: string;
  /** What one verification costs, in units of `Effort`. */
  readonly cost: number;
  readonly #family: Scheme["family"] | null;
  /** Node's type name, if the type has only one algorithm. */
  readonly #type: string | null;
  /** The parameters that an id-RSASSA-PSS key is restricted to (RFC 4055 3.3). */
  readonly #bound: { digest: string; salt: number } | null;
  readonly #bits: Buffer;
  #problem: Refusal | null;
  #object: KeyObject | null = null;
  #fingerprints: readonly string[] | null = null;

  /** Throws DER_MALFORMED if it is not a SubjectPublicKeyInfo. */
  constructor(readonly spki: Element) {
    const cursor = spki.open();
    const algorithm = readAlgorithm(cursor, "a key's algorithm");
    const bits = readOctets(cursor.take(TAG.bitString, "a public key"));
    cursor.finish("a public key");
    this.#bits = bits;
    const kind = KINDS.get(algorithm.oid);
    const read = kind?.(algorithm, bits) ?? {
      description: `key type ${dotted(algorithm.oid)}`,
      problem: refuse("ENOPKG", "algorithm allow-list", `key type ${dotted(algorithm.oid)} is not supported`),
    };
    this.description = read.description;
    this.cost = verificationCost(read.description);
    this.#family = read.family ?? null;
    this.#type = read.type ?? null;
    this.#bound = read.bound ?? null;
    this.#problem = read.problem ?? null;
  }

  /** Why no signature by this key is accepted; null if they are. Imports the key. */
  get problem(): Refusal | null {
    if (this.#problem === null && this.#object === null) this.#import();
    return this.#problem;
  }

  /**
   * Checks one signature over `data`. Returns null if it is valid. `rule` is the rule that the refusal names. `effort`
   * is the message's remaining limit, if the message chose the key.
   */
  verify(
    scheme: Scheme,
    data: Uint8Array,
    signature: Uint8Array,
    rule: string,
    effort: Effort | null = null,
  ): Refusal | null {
    const exceeded = effort?.verification(this, data.length) ?? null;
    if (exceeded !== null) return exceeded;
    const problem = this.problem;
    if (problem !== null) return problem;
    const fits =
      this.#type === null
        ? scheme.family === this.#family || (this.#family === "rsa" && scheme.family === "rsa-pss")
        : scheme.keyType === this.#type;
    if (!fits)
      return refuse(
        "EKEYREJECTED",
        rule,
        `a ${scheme.family} signature cannot be by a key of type ${this.description}`,
      );
    if (this.#bound !== null && (scheme.digest !== this.#bound.digest || scheme.salt < this.#bound.salt))
      return refuse("EKEYREJECTED", "RFC 4055 3.3", `the key allows only RSASSA-PSS with ${this.#bound.digest}`);
    return isGood(scheme, data, this.#object as KeyObject, signature)
      ? null
      : refuse("EKEYREJECTED", rule, "the signature is not valid for this key and this data");
  }

  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  get fingerprint(): string {
    return this.fingerprints[0] as string;
  }

  /**
   * The fingerprints by which this key may be listed, its own first. Certificates may encode an RSA key as
   * rsaEncryption or as id-RSASSA-PSS; both are the same key.
   */
  get fingerprints(): readonly string[] {
    this.#fingerprints ??= this.#encodings().map((spki) => hash("sha256", spki));
    return this.#fingerprints;
  }

  /** Equal for all public keys that belong to one private key. For RSA this is the modulus. */
  get identity(): string {
    return this.#isRsa ? readDer(this.#bits, TAG.sequence, "an RSA public key").open().next().key : this.spki.key;
  }

  get #isRsa(): boolean {
    return this.#family === "rsa" || this.#family === "rsa-pss";
  }

  #encodings(): readonly Buffer[] {
    if (!this.#isRsa) return [this.spki.whole];
    const bits = element(TAG.bitString, Buffer.of(0), this.#bits);
    return [this.spki.whole, ...RSA_ALGORITHMS.map((algorithm) => sequence(algorithm, bits))];
  }

  /** The scheme of a `RAW` signature by this key, as its standard or its size requires. */
  get rawScheme(): Scheme | null {
    if (this.#family === null) return null;
    const digest =
      this.#bound?.digest ?? RAW_DIGEST[this.description] ?? (this.#family.startsWith("rsa") ? "sha256" : null);
    return { family: this.#family, digest, salt: this.#bound?.salt ?? 0, keyType: this.#type };
  }

  #import(): void {
    try {
      this.#object = createPublicKey({ key: this.spki.whole, format: "der", type: "spki" });
    } catch {
      this.#problem =
        this.#type === null || this.#type === "ed25519"
          ? refuse("EBADMSG", "RFC 5280 4.1.2.7", `the ${this.description} public key is malformed`)
          : refuse("ENOPKG", "algorithm allow-list", `${this.description} keys are not supported by this OpenSSL`);
    }
  }
}

/** A public key from a SubjectPublicKeyInfo in DER. Throws KEY_MALFORMED. */
export function readPublicKey(der: Uint8Array): PublicKey {
  try {
    const key = new PublicKey(readDer(der, TAG.sequence, "a public key"));
    if (key.problem !== null) throw new CountersignError("KEY_MALFORMED", key.problem.reason);
    return key;
  } catch (cause) {
    if (!(cause instanceof CountersignError)) throw cause;
    throw new CountersignError("KEY_MALFORMED", cause.message, {
      place: cause.place,
      remedy: "give a public key of a type and size that is supported, as `openssl pkey -pubout` writes it",
      cause,
    });
  }
}

/** Verifies with OpenSSL. An error in OpenSSL counts as an invalid signature. */
function isGood({ family, digest, salt }: Scheme, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  try {
    if (family !== "rsa-pss") return verify(digest, data, key, signature);
    return verify(digest, data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt }, signature);
  } catch {
    return false;
  }
}

interface Kind {
  readonly description: string;
  readonly family?: Scheme["family"];
  readonly type?: string;
  readonly bound?: { digest: string; salt: number } | null;
  readonly problem?: Refusal | null;
}

/**
 * RSA key sizes in bits: the minimum of NIST SP 800-131A, and a maximum that keeps one verification below a
 * millisecond.
 */
const RSA_BITS = { least: 2048, most: 8192 } as const;
/** Exponents: FIPS 186-5 A.1.1 requires an odd one above 2^16; one of at most 32 bits keeps verification cheap. */
const RSA_EXPONENT = { least: 65537n, most: 0xffffffffn } as const;

const CURVES: ReadonlyMap<string, { name: string; octets: number }> = new Map([
  [oid("1.2.840.10045.3.1.7"), { name: "P-256", octets: 32 }],
  [oid("1.3.132.0.34"), { name: "P-384", octets: 48 }],
  [oid("1.3.132.0.35"), { name: "P-521", octets: 66 }],
]);

/** The digest that matches the curve's strength (FIPS 186-5 6.1.1). */
const RAW_DIGEST: Readonly<Record<string, string>> = { "P-256": "sha256", "P-384": "sha384", "P-521": "sha512" };

const KINDS: ReadonlyMap<string, (algorithm: AlgorithmIdentifier, bits: Buffer) => Kind> = new Map([
  [oid("1.2.840.113549.1.1.1"), rsaKey],
  [RSASSA_PSS, pssKey],
  [oid("1.2.840.10045.2.1"), ecKey],
  [oid("1.3.101.112"), sized("edwards", "ed25519", 32)],
  [oid("1.3.101.113"), sized("edwards", "ed448", 57)],
  [oid("2.16.840.1.101.3.4.3.17"), sized("ml-dsa", "ml-dsa-44", 1312)],
  [oid("2.16.840.1.101.3.4.3.18"), sized("ml-dsa", "ml-dsa-65", 1952)],
  [oid("2.16.840.1.101.3.4.3.19"), sized("ml-dsa", "ml-dsa-87", 2592)],
]);

/** RFC 3279 2.3.1, RFC 4055 3.1: the AlgorithmIdentifiers that an RSA key may have. */
const RSA_ALGORITHMS: readonly Buffer[] = [
  sequence(identifier("1.2.840.113549.1.1.1"), NULL),
  sequence(identifierOf(RSASSA_PSS)),
];

/** RFC 3279 2.3.1: the parameters are NULL. */
function rsaKey(algorithm: AlgorithmIdentifier, bits: Buffer): Kind {
  if (algorithm.parameters?.tag !== TAG.null)
    return { description: "RSA", problem: refuse("EBADMSG", "RFC 3279 2.3.1", "an RSA key without NULL parameters") };
  return rsaNumbers(bits, "rsa");
}

/** RFC 4055 3.1: the parameters are absent, or restrict the key to a digest and a minimum salt length. */
function pssKey(algorithm: AlgorithmIdentifier, bits: Buffer): Kind {
  const kind = rsaNumbers(bits, "rsa-pss");
  if (algorithm.parameters === null) return kind;
  const bound = readPssParameters(algorithm);
  return "verdict" in bound ? { ...kind, problem: bound } : { ...kind, bound };
}

function rsaNumbers(bits: Buffer, family: "rsa" | "rsa-pss"): Kind {
  const cursor = readDer(bits, TAG.sequence, "an RSA public key").open();
  const modulus = cursor.take(TAG.integer, "a modulus");
  const exponent = readUnsigned(cursor.take(TAG.integer, "an exponent"), 1024);
  cursor.finish("an RSA public key");
  const length = bitLength(modulus);
  const description = `${family === "rsa" ? "RSA" : "RSA-PSS"} ${length}`;
  return { description, family, problem: rsaWeakness(length, exponent) };
}

function rsaWeakness(length: number, exponent: bigint): Refusal | null {
  if (length < RSA_BITS.least) return weak(`an RSA key of ${length} bits, fewer than ${RSA_BITS.least}`);
  if (length > RSA_BITS.most) return weak(`an RSA key of ${length} bits, more than ${RSA_BITS.most}`);
  if (exponent < RSA_EXPONENT.least || exponent % 2n === 0n) return weak("an RSA exponent that is even or below 65537");
  return exponent > RSA_EXPONENT.most ? weak("an RSA exponent of more than 32 bits") : null;
}

function weak(reason: string): Refusal {
  return refuse("EKEYREJECTED", "key allow-list", reason);
}

/** Bits of a positive INTEGER, without converting it to a number. Throws DER_MALFORMED. */
function bitLength(integer: Element): number {
  const { bytes, body, end } = integer.check();
  const at = bytes[body] === 0 ? body + 1 : body;
  if (at === body && (bytes[at] as number) >= 0x80) return 0;
  return at >= end ? 0 : (end - at - 1) * 8 + (32 - Math.clz32(bytes[at] as number));
}

/** RFC 5480 2.1.1 and 2.2: a named curve and an uncompressed point. */
function ecKey(algorithm: AlgorithmIdentifier, bits: Buffer): Kind {
  const named = algorithm.parameters?.tag === TAG.oid ? oidOf(algorithm.parameters) : null;
  const curve = named === null ? undefined : CURVES.get(named);
  if (curve === undefined) {
    const description = named === null ? "EC with explicit parameters" : `EC curve ${dotted(named)}`;
    return { description, problem: refuse("ENOPKG", "algorithm allow-list", `${description} is not supported`) };
  }
  const whole = bits.length === 1 + 2 * curve.octets && bits[0] === 4;
  const problem = whole
    ? null
    : refuse("EBADMSG", "RFC 5480 2.2", `a ${curve.name} key that is not an uncompressed point`);
  return { description: curve.name, family: "ec", problem };
}

/** RFC 8410 3, RFC 9881 4: no parameters, and a fixed key size. */
function sized(
  family: Scheme["family"],
  type: string,
  size: number,
): (algorithm: AlgorithmIdentifier, bits: Buffer) => Kind {
  return (algorithm, bits) => {
    const whole = algorithm.parameters === null && bits.length === size;
    if (!whole) {
      const problem = refuse("EBADMSG", "RFC 5280 4.1.2.7", `the ${type} public key is malformed`);
      return { description: type, family, type, problem };
    }
    const weakness = edwardsWeakness(type, bits);
    return { description: type, family, type, problem: weakness === null ? null : weak(weakness) };
  };
}
