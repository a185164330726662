import { readPublicKey } from "../key/key.js";
import { publicPart, type SigningKey, signWith } from "./private-key.js";

/**
 * A signature of type `RAW`: the bare output of the key's algorithm, with the digest that {@link verifyRaw} expects.
 * Throws SIGNING_FAILED.
 */
export function signRaw(data: Uint8Array, key: SigningKey): Buffer {
  const scheme = readPublicKey(publicPart(key)).rawScheme;
  return signWith(key, scheme?.digest ?? null, data, scheme?.family === "rsa-pss" ? scheme.salt : null);
}
