import type { PublicKey } from "./key.js";

/** The signer of a valid signature: a name for messages, and the key, by which signers are counted. */
export interface Signer {
  readonly name: string;
  readonly key: PublicKey;
}

/** Number of distinct keys that signed. */
export function distinctSigners(signers: readonly Signer[]): number {
  return new Set(signers.map(({ key }) => key.identity)).size;
}
