import { ERRNO } from "../../errno.js";
import type { Keyring, SignedStatement } from "../../trust/keyring.js";
import type { Verification } from "../../trust/model/verification.js";
import type { StoredSignature } from "../../trust/store.js";

/** A statement with the signatures over it. */
export interface StatementToVerify extends SignedStatement {
  readonly signatures: readonly StoredSignature[];
}

export type Rejection = Pick<Verification, "verdict" | "reason"> & Partial<Pick<Verification, "rule" | "paths">>;

/**
 * Verifies the signatures over a statement by a keyring. Returns the first that is valid, otherwise the most specific
 * failure (see {@link moreTelling}). Throws what reading the signatures throws.
 */
export function verifyStored(stored: StatementToVerify, keyring: Keyring, at: number): Verification {
  let failed: Verification | null = null;
  let until = Number.POSITIVE_INFINITY;
  for (const { type, bytes } of stored.signatures) {
    const verification = keyring.verifyStatement(stored, bytes, type, at);
    if (verification.verdict === 0) return verification;
    until = Math.min(until, verification.until);
    failed = moreTelling(failed, verification);
  }
  return failed === null ? UNSIGNED : { ...failed, until };
}

/** The more specific one of two failures; the earlier one if they are equally specific. */
export function moreTelling<F extends Rejection>(earlier: F | null, later: F): F {
  return earlier === null || weightOf(later) > weightOf(earlier) ? later : earlier;
}

/** The order of failures: there is no signature; no key of the keyring signed; a key of the keyring broke a rule. */
function weightOf({ verdict }: Rejection): number {
  return verdict === -ERRNO.ENODATA ? 0 : verdict === -ERRNO.ENOKEY ? 1 : 2;
}

const UNSIGNED: Verification = {
  verdict: -ERRNO.ENODATA,
  reason: "there is no signature over the statement",
  rule: "signature present",
  signer: null,
  signers: [],
  paths: [],
  until: Number.POSITIVE_INFINITY,
};
