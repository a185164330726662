import type { Config } from "../../../config/config.js";
import type { HookName } from "../../../hooks/catalogue.js";
import { type CheckedTable, checkCertificate } from "../../../prove/check/check-certificate.js";
import { CheckedPolicies } from "../../../prove/check/checked-policies.js";
import { readCertificate } from "../../../prove/check/form.js";
import { EvaluatedProperty, type PropertyFiles } from "../../../prove/property/evaluated-property.js";
import type { TableCertificate } from "../../../prove/shared/certificate.js";
import { LoadedAttachments } from "../../../prove/witness/loaded-attachments.js";
import { writeWhole } from "../../files/write.js";

/**
 * Checks the text of a certificate; `properties` has those that it may be about. Throws PROOF_ errors, and what an
 * engine's start throws about policies.
 */
export function* checkedTables(
  json: string,
  config: Config,
  file: string,
  properties: readonly PropertyFiles[],
): Generator<CheckedTable> {
  const certificate = readCertificate(json, file);
  const policies = new CheckedPolicies(config, certificate.maps);
  const found: EvaluatedProperty[] = [];
  const find: Parameters<typeof checkCertificate>[2] = (name, hook) => {
    const its = properties.find((one) => one.name === name);
    if (its === undefined) return null;
    const evaluated = new EvaluatedProperty(policies, hook, its);
    found.push(evaluated);
    return evaluated;
  };
  try {
    yield* checkCertificate(certificate, policies, find, file);
  } finally {
    for (const one of found) one.close();
    policies.close();
  }
}

/** The hooks with an attachment. Throws what an engine's start throws about policies. */
export function hooksOf(config: Config): readonly HookName[] {
  const loaded = new LoadedAttachments(config);
  loaded.close();
  return loaded.hooks;
}

/** Writes a certificate, which is checked before. Throws as {@link checkedTables}. */
export function writeCertificate(
  certificate: TableCertificate,
  config: Config,
  file: string,
  properties: readonly PropertyFiles[],
): void {
  const text = `${JSON.stringify(certificate)}\n`;
  Array.from(checkedTables(text, config, file, properties));
  writeWhole(file, Buffer.from(text));
}
