import type { Config } from "../config/config.js";
import { rulesOf } from "../config/keyring-files.js";
import { ERRNO, verdictName } from "../errno.js";
import { CountersignError } from "../error.js";
import { KeyringReport } from "../trust/keyring-report.js";

/** What a keyring trusts; the rest of it only takes away. */
const TRUSTED = new Set(["certificate", "key", "ssh key", "minisign key"]);

/**
 * Refuses a configuration with a keyring in which everything has expired: whatever it is asked about would be refused
 * for a reason that is nobody's signature. Throws KEYRING_INVALID with the first that expired, and what reading throws.
 * A live gate is not asked this: it goes on, and refuses.
 */
export function refuseSpent(config: Config, at: number): void {
  for (const keyring of config.keyrings) {
    const trusted = new KeyringReport(rulesOf(keyring)).entries(at).filter(({ kind }) => TRUSTED.has(kind));
    const [first] = trusted;
    if (first === undefined || !trusted.every(({ refusal }) => refusal?.verdict === -ERRNO.EKEYEXPIRED)) continue;
    const { verdict, reason } = first.refusal!;
    throw new CountersignError(
      "KEYRING_INVALID",
      `holds nothing that has not expired: ${verdictName(verdict)} ${reason}`,
      {
        place: `${keyring.place}: keyring \`${keyring.name}\`: ${keyring.trust[0] ?? config.file}`,
        remedy: "renew its certificates, or say `validity: ignore` as the kernel does",
      },
    );
  }
}
