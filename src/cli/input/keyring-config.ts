import type { Config } from "../../config/config.js";
import type { KeyringConfig } from "../../config/keyring.js";
import { CountersignError } from "../../error.js";
import { KeyringReport } from "../../trust/keyring-report.js";

/** A keyring of the configuration, and the report about its entries. */
export interface ReportedKeyring {
  readonly config: KeyringConfig;
  readonly report: KeyringReport;
}

/**
 * Reads the named keyrings of a configuration, or all. Throws CONFIG_INVALID for an unknown name, and the errors of
 * reading their files.
 */
export async function reportedKeyrings(
  file: string,
  names: readonly string[],
): Promise<{ config: Config; keyrings: readonly ReportedKeyring[] }> {
  const { readConfig } = await import("../../config/config.js");
  const { rulesOf } = await import("../../config/keyring-files.js");
  const config = readConfig(file);
  const unknown = names.find((name) => !config.keyrings.some((keyring) => keyring.name === name));
  if (unknown !== undefined)
    throw new CountersignError("CONFIG_INVALID", `there is no keyring \`${unknown}\``, {
      place: file,
      remedy: otherKeyring(config.keyrings),
    });
  const wanted = config.keyrings.filter(({ name }) => names.length === 0 || names.includes(name));
  const keyrings = wanted.map((keyring) => {
    try {
      return { config: keyring, report: new KeyringReport(rulesOf(keyring)) };
    } catch (error) {
      throw error instanceof CountersignError ? error.within(`${keyring.place}: keyring \`${keyring.name}\``) : error;
    }
  });
  return { config, keyrings };
}

/** The remedy for the name of a keyring that the configuration does not have. */
export function otherKeyring(keyrings: readonly KeyringConfig[]): string {
  return keyrings.length === 0
    ? "add it under `keyrings`"
    : `use one of ${keyrings.map(({ name }) => name).join(", ")}`;
}
