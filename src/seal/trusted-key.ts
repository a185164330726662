/**
 * The trusted key of a seal: the certificate whose key signs lists. A list's signature covers its header, which has the
 * SHA-256 of everything else in the list, so that the kernel can verify the same signature over few bytes.
 */

import { CountersignError } from "../error.js";
import { hash } from "../trust/base/digest.js";
import { type Keyring, openKeyring, type SourceFile } from "../trust/keyring.js";
import { readMaterial } from "../trust/source/source.js";
import type { Certificate } from "../trust/x509/certificate.js";
import type { List } from "./list.js";

/** Keys whose signatures the kernel verifies (crypto/asymmetric_keys), by their descriptions. */
export const KERNEL_KEYS = /^(?:RSA \d+|P-256|P-384|P-521)$/;

export class TrustedKey {
  /** SHA-256 of the certificate in lower-case hex. */
  readonly fingerprint: string;
  /** The certificate in DER. */
  readonly certificate: Uint8Array;
  readonly #identity: string;
  readonly #name: string;
  readonly #keyring: Keyring;

  /**
   * Takes a file with one certificate in PEM or DER. Throws CERTIFICATE_MALFORMED, KEYRING_INVALID, and
   * SEAL_KEY_UNSUPPORTED if it has no certificate or several, or a key that the kernel does not know.
   */
  constructor(file: SourceFile) {
    const { certificates } = readMaterial([file]);
    const [certificate] = certificates;
    if (certificate === undefined || certificates.length > 1)
      throw unsupported(
        file,
        `has ${certificates.length} certificates`,
        "name a file with the signer's certificate only",
      );
    const { publicKey, element } = certificate;
    if (!KERNEL_KEYS.test(publicKey.description))
      throw unsupported(
        file,
        `has a key of type ${publicKey.description}, whose signatures the kernel does not verify`,
        "sign lists with an RSA key, or an ECDSA key of P-256, P-384 or P-521",
      );
    this.certificate = element.whole;
    this.fingerprint = hash("sha256", element.whole);
    this.#identity = publicKey.identity;
    this.#name = String(certificate);
    this.#keyring = onlyTrusting(certificate, file);
  }

  /**
   * Requires that a list is signed with this key. The certificate must be valid at the time `at`, in milliseconds since
   * the epoch; the kernel, which takes new lists, looks only at the key. Throws SEAL_LIST_UNSIGNED.
   */
  requireSigned({ signed }: List, signature: Uint8Array | null, at: number): void {
    const { verdict, reason, rule, signers } = this.#keyring.verify(signed, signature, "PKCS7", at);
    const others = signers.filter(({ key }) => key.identity !== this.#identity);
    if (verdict === 0 && others.length === 0) return;
    const why =
      others[0] === undefined ? `${reason} [${rule}]` : `signed by \`${others[0].name}\`, whom it only vouches for`;
    throw new CountersignError("SEAL_LIST_UNSIGNED", `is not signed with the trusted key \`${this.#name}\`: ${why}`, {
      remedy: "build the list again with the trusted key: `countersign seal build --key KEY --cert CERT`",
    });
  }
}

/** No rules but validity: the certificate is named for this one purpose. */
function onlyTrusting(certificate: Certificate, { path }: SourceFile): Keyring {
  return openKeyring("trusted key", {
    trust: [{ path, bytes: certificate.element.whole }],
    revoked: { crls: [], certificates: [], digests: [] },
    usage: ["any"],
    validity: "now",
  });
}

function unsupported({ path }: SourceFile, message: string, remedy: string): CountersignError {
  return new CountersignError("SEAL_KEY_UNSUPPORTED", message, { place: path, remedy });
}
