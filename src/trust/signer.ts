import type { PublicKey } from "./key.js";

/** Who made a good signature: what it is called, for a person, and its key, which tells signers apart. */
export interface Signer {
  readonly name: string;
  readonly key: PublicKey;
}

/** How many different keys signed. */
export function distinctSigners(signers: readonly Signer[]): number {
  return new Set(signers.map(({ key }) => key.identity)).size;
}
