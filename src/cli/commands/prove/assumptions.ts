import type { PlacedPolicies } from "../../../prove/configuration/placed-policies.js";
import { VERSION } from "../../../version.js";

/** What an answer of the prover assumes, as text and as Markdown. */
export function assumptionsText(assumptions: readonly string[]): string {
  return ["Assumed:", ...assumptions.map((one) => `- ${one}`)].join("\n");
}

/** A configuration and its policies, so that an answer is about nothing else. `what` names the configuration. */
export function assumedPolicies(what: string, { config, placed }: PlacedPolicies): string {
  const policies = placed.map(({ attachment, policy }) => `${attachment.name} ${policy.digest.slice(0, 16)}`);
  return `${what} is in mode ${config.mode}, with these policies by SHA-256: ${policies.join(", ") || "none"}`;
}

/** What `--contents` does. */
export const CONTENTS = "take the entries of maps with at most 64 keys as constants, if no policy may write to them";

export const VERSION_ASSUMED = `Countersign is version ${VERSION}`;
