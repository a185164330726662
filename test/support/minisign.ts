/** minisign keys and signatures made here, so that a test can also break their format. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface MinisignIdentity {
  /** The `.pub` file. */
  readonly publicKey: string;
  /** `legacy`: over the data itself, as before version 0.9. */
  readonly sign: (data: Uint8Array, claims?: { legacy?: boolean; comment?: string; algorithm?: string }) => Buffer;
}

export function minisignIdentity(): MinisignIdentity {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const id = randomBytes(8);
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const base64 = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString("base64");
  return {
    publicKey: `untrusted comment: minisign public key\n${base64(Buffer.from("Ed"), id, raw)}\n`,
    sign: (data, { legacy = false, comment = "timestamp:1", algorithm = legacy ? "Ed" : "ED" } = {}) => {
      const value = sign(null, legacy ? data : createHash("blake2b512").update(data).digest(), privateKey);
      const whole = sign(null, Buffer.concat([value, Buffer.from(comment)]), privateKey);
      const first = base64(Buffer.from(algorithm), id, value);
      return Buffer.from(
        `untrusted comment: signature\n${first}\ntrusted comment: ${comment}\n${whole.toString("base64")}\n`,
      );
    },
  };
}
