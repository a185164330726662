import { tooMuch } from "../base/effort.js";
import { type Refusal, refuse } from "../base/refusal.js";
import { distinctSigners, type Signer } from "../model/signer.js";
import type { Several, TrustedKeyring, VerificationContext, Verify } from "./format.js";

/** The most signatures of one file that are verified: those that name a key or an authority of the keyring. */
const MAX_TRIED = 16;

/**
 * Verifies the signatures of a file that can hold several. The file is valid if one of them is; if the keyring requires
 * more signers, those of all valid ones count. Only signatures that name a key or an authority of the keyring are
 * verified, so that those for other keyrings cost no arithmetic. All share one limit of effort. If one is malformed,
 * the file is: throws as the format's own verification.
 */
export function verifyEach(
  several: Several,
  keyring: TrustedKeyring,
  verify: Verify,
  context: VerificationContext,
): readonly Signer[] | Refusal {
  const { signature } = context;
  const parts = several.split(signature);
  if (parts.length === 1) return verify(context);
  const { effort } = context;
  if (!effort.charge("parts", parts.length)) return tooMuch();
  const names = several.naming(keyring);
  const named: Uint8Array[] = [];
  for (const part of parts) {
    if (names(part, effort)) named.push(part);
    if (effort.spent) return tooMuch();
  }
  if (named.length === 0) return refuse("ENOKEY", "signer", `none of ${parts.length} signatures is by the keyring`);
  if (named.length > MAX_TRIED) return tooMuch();
  const { signers: needed = 1 } = keyring.rules;
  const signers: Signer[] = [];
  let failed: Refusal | null = null;
  for (const part of named) {
    const outcome = verify({ ...context, signature: part });
    if ("verdict" in outcome) failed ??= outcome;
    else {
      signers.push(...outcome);
      if (distinctSigners(signers) >= needed) return signers;
    }
    if (effort.spent) return tooMuch();
  }
  return signers.length > 0 ? signers : (failed as Refusal);
}
