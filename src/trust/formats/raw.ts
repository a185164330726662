import { type Refusal, refuse } from "../base/refusal.js";
import { NAMELESS } from "../base/signer-identity.js";
import type { Signer } from "../model/signer.js";
import type { SignatureFormat, TrustedKeyring, VerificationContext } from "./format.js";

export const RAW: SignatureFormat = {
  doc: "The bare output of the key's algorithm.",
  detached: true,
  endings: [".sig", ".raw"],
  check: null,
  several: null,
  keys: null,
  open: (keyring) => (context) => verifyRaw(keyring, context),
};

/**
 * Verifies the bare output of a signature algorithm with the keyring's public keys: RSA with PKCS#1 v1.5 padding and
 * SHA-256, RSASSA-PSS, ECDSA in DER with the digest that matches the curve, Ed25519, and others that this OpenSSL
 * supports. Each key is tried.
 */
function verifyRaw(
  keyring: TrustedKeyring,
  { data, signature, effort }: VerificationContext,
): readonly Signer[] | Refusal {
  if (keyring.keys.length === 0)
    return refuse("ENOKEY", "type RAW", "the keyring has no public keys, which type RAW requires");
  let blocked: Refusal | null = null;
  effort.charge("bytes", signature.length);
  for (const key of keyring.keys) {
    const scheme = key.rawScheme;
    if (scheme === null || key.verify(scheme, data, signature, "type RAW", effort) !== null) continue;
    blocked = keyring.blockList.key(key);
    if (blocked === null) return [{ name: `key ${key.fingerprint}`, key, ...NAMELESS }];
  }
  return (
    blocked ??
    refuse("EKEYREJECTED", "type RAW", `none of the keyring's ${keyring.keys.length} keys made the signature`)
  );
}
