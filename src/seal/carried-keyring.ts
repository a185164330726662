/** Which keyring of a configuration the kernel can verify by, so that its signers need no list. */
import type { Config } from "../config/config.js";
import type { KeyringConfig } from "../config/keyring.js";
import type { JudgedProgram } from "./build.js";
import { whyNotInKernel } from "./plan/changing-keyring.js";
import type { PlannedEngine } from "./plan.js";

/**
 * The keyring by whose signature alone the policies allow programs, as judged programs show; null if there is none, or
 * if the kernel's verification would accept more than the keyring does. `authorities` is as for `sealPlan`.
 */
export function carriedKeyring(
  { keyrings, attachments }: Pick<Config, "keyrings" | "attachments">,
  engine: Pick<PlannedEngine, "reads">,
  judged: readonly Pick<JudgedProgram, "signedBy">[],
  authorities: ReadonlyMap<string, readonly string[]>,
): KeyringConfig | null {
  const named = judged.find(({ signedBy }) => signedBy !== null)?.signedBy;
  const keyring = keyrings.find(({ name }) => name === named);
  // the length of bytes is what policies can learn of them without a record
  if (keyring === undefined || attachments.some(({ name }) => engine.reads(name, "length"))) return null;
  return whyNotInKernel(keyring, authorities.get(keyring.name) ?? []) === null ? keyring : null;
}
