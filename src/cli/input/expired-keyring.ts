import type { Config } from "../../config/config.js";
import { rulesOf } from "../../config/keyring-files.js";
import { ERRNO, verdictName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { KeyringReport } from "../../trust/keyring-report.js";

/**
 * Rejects a configuration with a keyring in which every trusted entry has expired, since each decision would report
 * that instead of what is wrong with a signature. Throws KEYRING_INVALID with the first expired entry, and the errors
 * of reading keyrings. A live gate does not call this: it keeps running and rejects the signatures.
 */
export function rejectExpiredKeyring(config: Config, at: number): void {
  for (const keyring of config.keyrings) {
    const trusted = new KeyringReport(rulesOf(keyring)).trusted(at);
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
