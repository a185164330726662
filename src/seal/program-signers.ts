/** Whose signature allows a program: certificates for the keyring of the kernel that the loader makes. */
import { CountersignError } from "../error.js";
import type { SourceFile } from "../trust/keyring.js";
import { readMaterial } from "../trust/source/source.js";
import { KERNEL_KEYS } from "./trusted-key.js";

/** MAX_KEYS of loader/loaded.h, less one for the trusted key. */
const MAX_SIGNERS = 255;

/**
 * The certificates of a file in PEM or DER, in DER. Throws CERTIFICATE_MALFORMED, and SEAL_KEY_UNSUPPORTED for a file
 * without certificates or with one of a key that the kernel does not know.
 */
export function programSigners(file: SourceFile): readonly Uint8Array[] {
  const { certificates } = readMaterial([file]);
  if (certificates.length === 0 || certificates.length > MAX_SIGNERS)
    throw unsupported(file, `has ${certificates.length} certificates`, `name a file with 1 to ${MAX_SIGNERS} of them`);
  const other = certificates.find(({ publicKey }) => !KERNEL_KEYS.test(publicKey.description));
  if (other !== undefined)
    throw unsupported(
      file,
      `\`${other}\` has a key of type ${other.publicKey.description}, whose signatures the kernel does not verify`,
      "sign programs with an RSA key, or an ECDSA key of P-256, P-384 or P-521",
    );
  return certificates.map(({ element }) => element.whole);
}

/** Those of a keyring's certificates whose signatures the kernel verifies, as a file in PEM; null if there are none. */
export function signersFile(trust: readonly SourceFile[]): string | null {
  const certificates = readMaterial(trust).certificates.filter(({ publicKey }) => {
    return KERNEL_KEYS.test(publicKey.description);
  });
  return certificates.length === 0 ? null : certificates.map(({ element }) => pem(element.whole)).join("");
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function unsupported({ path }: SourceFile, message: string, remedy: string): CountersignError {
  return new CountersignError("SEAL_KEY_UNSUPPORTED", message, { place: path, remedy });
}
