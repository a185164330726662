import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import { Domain } from "../../policy/domain.js";
import type { Certificate, CertifiedTable } from "../shared/certificate.js";
import { type CheckedPolicy, checkedPolicies } from "./checked-policy.js";
import { digestsOf } from "./digests.js";
import { type CheckedCounts, TableChecker } from "./table-checker.js";

/** A table that was checked. */
export interface CheckedTable extends CheckedCounts {
  readonly attachment: string;
  readonly hook: HookName;
  /** SHA-256 of the policy as it was linked. */
  readonly policy: string;
}

/**
 * Checks a certificate against a configuration, and its policies as they are now. Each attachment that the certificate
 * has must be there at all of its hooks. Throws PROOF_ errors, and what an engine's start throws about policies.
 */
export function* checkCertificate(certificate: Certificate, config: Config, file: string): Generator<CheckedTable> {
  const place = (of: string) => `${file}: ${of}`;
  for (const [name, digest] of Object.entries(digestsOf(config.file)))
    if (certificate.digests[name as "engine"] !== digest)
      throw outdated("has another digest than what is here", place(`digests.${name}`));
  const policies = checkedPolicies(config);
  checkCoverage(certificate.tables, policies, place("tables"));
  const names = { keyrings: config.keyrings.map(({ name }) => name), maps: config.maps.map(({ name }) => name) };
  const domain = new Domain({ keyrings: names.keyrings, asksHost: true });
  try {
    for (const [index, { attachment, hook, policy, tree }] of certificate.tables.entries()) {
      const its = policies.find((one) => one.attachment === attachment)!;
      if (its.linked.digest !== policy)
        throw outdated(`is about another text of ${its.linked.file}`, place(`tables[${index}].policy`));
      const counts = new TableChecker(its, hook, names, domain).check(tree, place(`tables[${index}].tree`));
      yield { attachment, hook, policy, ...counts };
    }
  } finally {
    domain.close();
  }
}

/** Each table is that of an attachment at one of its hooks, each once, and no hook of an attachment is left out. */
function checkCoverage(tables: readonly CertifiedTable[], policies: readonly CheckedPolicy[], place: string): void {
  const keyOf = (attachment: string, hook: string) => `${attachment} at ${hook}`;
  const found = new Set(tables.map(({ attachment, hook }) => keyOf(attachment, hook)));
  const named = new Set(tables.map(({ attachment }) => attachment));
  const expected = policies
    .filter(({ attachment }) => named.has(attachment))
    .flatMap(({ attachment, hooks }) => hooks.map((hook) => keyOf(attachment, hook)));
  const missing = expected.find((key) => !found.has(key));
  if (missing !== undefined) throw outdated(`has no table of ${missing}`, place);
  if (tables.length === 0) throw outdated("has no tables", place);
  if (found.size !== tables.length || found.size !== expected.length)
    throw outdated("has a table twice, or one of an attachment or hook that the configuration does not have", place);
}

function outdated(message: string, place: string): CountersignError {
  const remedy = "make a certificate of these files with `countersign prove table --certificate FILE`";
  return new CountersignError("PROOF_OUTDATED", message, { place, remedy });
}
