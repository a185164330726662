import { CountersignError } from "../../error.js";
import { hash } from "../base/digest.js";
import { type Refusal, refuse } from "../base/refusal.js";
import type { PublicKey } from "../key/key.js";
import type { Certificate } from "../x509/certificate.js";

/**
 * Contents, certificates and public keys that are rejected whatever signed them, by their SHA-256, as in the kernel's
 * .blacklist keyring.
 */
export class BlockList {
  readonly #certificates: readonly Certificate[];
  /**
   * Public keys that are on the list as a whole. They can tell whether a blocked key made a signature; for a key of
   * which the list has only the digest, that cannot be checked.
   */
  readonly #keys: readonly PublicKey[];
  /** Identities of the keys that are listed as files: the same key may be encoded in another way elsewhere. */
  readonly #identities = new Set<string>();
  readonly #issuers = new WeakMap<Certificate, Refusal | null>();
  readonly #digests: Readonly<Record<Kind, Set<string>>> = {
    bin: new Set(),
    tbs: new Set(),
    key: new Set(),
    cert: new Set(),
  };
  /** Entries of the form `<issuer's Name> <serial number>`. */
  readonly #serials = new Set<string>();

  /** Throws KEYRING_INVALID. */
  constructor({ digests, serials, certificates, keys, formatKeys }: BlockListEntries) {
    for (const text of digests) {
      const [, kind, digest = ""] = DIGEST.exec(text) ?? misspelt(text);
      const kinds = kind === undefined ? UNNAMED : [kind as Kind];
      for (const one of kinds) this.#digests[one].add(digest.replaceAll(":", "").toLowerCase());
    }
    for (const { issuers, numbers } of serials)
      for (const { subject } of issuers)
        for (const serial of numbers) this.#serials.add(`${subject.key} ${numberOf(serial).toString(16)}`);
    for (const certificate of certificates) this.#digests.tbs.add(hash("sha256", certificate.tbs.whole));
    this.#certificates = certificates;
    this.#keys = keys;
    for (const { identity, fingerprints } of [...keys, ...formatKeys]) {
      this.#identities.add(identity);
      for (const fingerprint of fingerprints) this.#digests.key.add(fingerprint);
    }
  }

  /** Why this content is rejected; null if it is not on the list. */
  content(data: Uint8Array): Refusal | null {
    if (this.#digests.bin.size === 0 || !this.#digests.bin.has(hash("sha256", data))) return null;
    return refuse("EKEYREVOKED", "block list", "the content is on the block list");
  }

  /** Whether the SHA-256 of content that is not at hand is listed, in lower-case hex. `what` names the content. */
  digest(sha256: string, what: string): Refusal | null {
    if (!this.#digests.bin.has(sha256)) return null;
    return refuse("EKEYREVOKED", "block list", `${what} is on the block list`);
  }

  certificate(certificate: Certificate): Refusal | null {
    const { tbs, cert } = this.#digests;
    const listed =
      (tbs.size > 0 && tbs.has(hash("sha256", certificate.tbs.whole))) ||
      (cert.size > 0 && cert.has(hash("sha256", certificate.der))) ||
      (this.#serials.size > 0 && this.#serials.has(`${certificate.issuer.key} ${serialOf(certificate)}`));
    if (listed) return refuse("EKEYREVOKED", "block list", `certificate \`${certificate}\` is on the block list`);
    return this.key(certificate.publicKey);
  }

  /** Whether the issuer of a certificate is listed, for a certificate to which no path leads. Results are cached. */
  issuerOf(certificate: Certificate): Refusal | null {
    let refusal = this.#issuers.get(certificate);
    if (refusal === undefined) {
      refusal = this.#findIssuerOf(certificate);
      this.#issuers.set(certificate, refusal);
    }
    return refusal;
  }

  #findIssuerOf(certificate: Certificate): Refusal | null {
    const named = this.#certificates.filter((issuer) => issuer.subject.equals(certificate.issuer));
    for (const key of [...named.map(({ publicKey }) => publicKey), ...this.#keys])
      if (certificate.signedBy(key) === null)
        return refuse("EKEYREVOKED", "block list", `the issuer of \`${certificate}\` is on the block list`);
    return null;
  }

  key(key: PublicKey): Refusal | null {
    if (this.#digests.key.size === 0) return null;
    const listed =
      this.#identities.has(key.identity) || key.fingerprints.some((fingerprint) => this.#digests.key.has(fingerprint));
    return listed ? refuse("EKEYREVOKED", "block list", `a key of type ${key.description} is on the block list`) : null;
  }

  /**
   * Whether a key is listed, for a key of which only the SHA-256 of its SubjectPublicKeyInfo is known, in lower-case
   * hex. `what` names the key in the message.
   */
  fingerprint(fingerprint: string, what: string): Refusal | null {
    return this.#digests.key.has(fingerprint)
      ? refuse("EKEYREVOKED", "block list", `${what} is on the block list`)
      : null;
  }
}

export interface BlockListEntries {
  /** SHA-256 digests as in KeyringRules. */
  readonly digests: readonly string[];
  /** Serial numbers in hex, with the certificates that may have issued them. */
  readonly serials: readonly { readonly issuers: readonly Certificate[]; readonly numbers: readonly string[] }[];
  readonly certificates: readonly Certificate[];
  readonly keys: readonly PublicKey[];
  /** Keys that sign no certificates: those of signature formats with key files of their own. */
  readonly formatKeys: readonly PublicKey[];
}

type Kind = "bin" | "tbs" | "key" | "cert";

/**
 * The kinds that a digest without a prefix has: either content or a whole certificate. SHA-256 makes a false match
 * infeasible.
 */
const UNNAMED: readonly Kind[] = ["bin", "cert"];

/** Hex, with or without colons between the octets, as `openssl x509 -fingerprint` prints it. */
const DIGEST = /^(?:(bin|tbs|key|cert):)?([0-9a-fA-F]{64}|(?:[0-9a-fA-F]{2}:){31}[0-9a-fA-F]{2})$/;

const SERIAL = /^(?:0x)?((?:[0-9a-fA-F]{2}:)*[0-9a-fA-F]{1,40})$/;

/** A serial number as `openssl x509 -serial` prints it. Throws KEYRING_INVALID. */
function numberOf(text: string): bigint {
  const [, digits = ""] = SERIAL.exec(text) ?? [];
  if (digits !== "") return BigInt(`0x${digits.replaceAll(":", "")}`);
  throw new CountersignError("KEYRING_INVALID", `\`${text}\` is not a serial number`, {
    place: "revoked.serials",
    remedy: "write it in hex, as `openssl x509 -noout -serial` prints it",
  });
}

/** In hex without leading zeros: the decimal form of a long number takes time that grows with its square. */
function serialOf({ serial }: Certificate): string {
  return serial.contents.toString("hex").replace(/^0+(?=.)/, "");
}

function misspelt(text: string): never {
  throw new CountersignError("KEYRING_INVALID", `\`${text}\` is not a SHA-256 digest`, {
    place: "revoked.digests",
    remedy: "write a SHA-256 in 64 hex digits, with `bin:`, `cert:`, `tbs:` or `key:` before it",
  });
}
