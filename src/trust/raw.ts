import type { Generation } from "./generation.js";
import { type Refusal, refuse } from "./refusal.js";
import type { Signer } from "./signer.js";

/**
 * Verifies the bare output of a signature algorithm with the keyring's public keys: RSA with PKCS#1 v1.5 padding and
 * SHA-256, RSASSA-PSS, ECDSA in DER with the digest that matches the curve, Ed25519, and others that this OpenSSL
 * supports. Each key is tried.
 */
export function verifyRaw(keyring: Generation, data: Uint8Array, signature: Uint8Array): readonly Signer[] | Refusal {
  if (keyring.keys.length === 0)
    return refuse("ENOKEY", "type RAW", "the keyring has no public keys, which type RAW requires");
  let blocked: Refusal | null = null;
  for (const key of keyring.keys) {
    const scheme = key.rawScheme;
    if (scheme === null || key.verify(scheme, data, signature, "type RAW") !== null) continue;
    blocked = keyring.blockList.key(key);
    if (blocked === null) return [{ name: `key ${key.fingerprint}`, key }];
  }
  return (
    blocked ??
    refuse("EKEYREJECTED", "type RAW", `none of the keyring's ${keyring.keys.length} keys made the signature`)
  );
}
