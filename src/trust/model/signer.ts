import type { CertificatePath, SignerIdentity } from "../base/signer-identity.js";
import type { PublicKey } from "../key/key.js";

/** The signer of a valid signature: a name for messages, and the key, by which signers are counted. */
export interface Signer extends SignerIdentity {
  readonly name: string;
  readonly key: PublicKey;
  /** The valid path to its certificate, anchor first; absent for a key without a certificate. */
  readonly path?: CertificatePath;
}

/** Whether two lists have the same signers in the same order. */
export function sameSigners(some: readonly Signer[], others: readonly Signer[]): boolean {
  return some.length === others.length && some.every((signer, index) => isSame(signer, others[index] as Signer));
}

function isSame(one: Signer, other: Signer): boolean {
  const { name, key, subject, serial, issuer, path = [] } = one;
  const { path: otherPath = [] } = other;
  return (
    path.length === otherPath.length &&
    path.every((certificate, index) => certificate === otherPath[index]) &&
    key === other.key &&
    name === other.name &&
    subject === other.subject &&
    serial === other.serial &&
    issuer === other.issuer
  );
}

/** Number of distinct keys that signed. */
export function distinctSigners(signers: readonly Signer[]): number {
  return new Set(signers.map(({ key }) => key.identity)).size;
}
