/** Which keyring of a configuration the kernel can verify by, so that its signers need no list. */
import type { Config } from "../config/config.js";
import type { KeyringConfig } from "../config/keyring.js";
import type { JudgedProgram } from "./build.js";
import { whyNotInKernel } from "./plan/changing-keyring.js";

/**
 * The keyring by whose signature alone the policies allow programs, as judged programs show; null if there is none, or
 * if the kernel's verification would accept more than the keyring does. `authorities` is as for `sealPlan`.
 */
export function carriedKeyring(
  { keyrings }: Pick<Config, "keyrings">,
  judged: readonly Pick<JudgedProgram, "signedBy">[],
  authorities: ReadonlyMap<string, readonly string[]>,
): KeyringConfig | null {
  const named = judged.find(({ signedBy }) => signedBy !== null)?.signedBy;
  const keyring = keyrings.find(({ name }) => name === named);
  if (keyring === undefined) return null;
  return whyNotInKernel(keyring, authorities.get(keyring.name) ?? []) === null ? keyring : null;
}
