import { isDeepStrictEqual } from "node:util";
import type { Config } from "../../config/config.js";
import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import type { Certificate } from "../shared/certificate.js";
import { CheckedPolicies } from "./checked-policies.js";
import { digestsOf } from "./digests.js";
import { attachmentAt, decisionAt, type Examined } from "./examined.js";
import { rejected } from "./form.js";
import { type CheckedCounts, TableChecker } from "./table-checker.js";

/** A table that was checked. */
export interface CheckedTable extends CheckedCounts {
  /** Null for a table of the configuration. */
  readonly attachment: string | null;
  readonly hook: HookName;
  /** SHA-256 of the policy as it was linked; null for a table of the configuration. */
  readonly policy: string | null;
}

/**
 * Checks a certificate against a configuration, and its policies as they are now. Throws PROOF_ errors, and what an
 * engine's start throws about policies.
 */
export function* checkCertificate(certificate: Certificate, config: Config, file: string): Generator<CheckedTable> {
  const place = (of: string) => `${file}: ${of}`;
  compare(digestsOf(config.file), certificate.digests, place("digests"));
  const policies = new CheckedPolicies(config);
  try {
    const all = examinedFor(certificate.tables, policies);
    if (all.length !== certificate.tables.length || all.length === 0)
      throw rejected("PROOF_OUTDATED", "are not all tables, each once, of what one of them is about", place("tables"));
    for (const [index, table] of certificate.tables.entries()) {
      const { attachment = null, policy = null } = "attachment" in table ? table : {};
      compare(all[index]!.stated, table, place(`tables[${index}]`));
      const counts = new TableChecker(all[index]!, policies.names).check(table.tree, place(`tables[${index}].tree`));
      yield { attachment, hook: table.hook, policy, ...counts };
    }
  } finally {
    policies.close();
  }
}

/**
 * What the tables have to be about, in this order: each attachment that one of them names at all of its hooks, and the
 * configuration at all hooks with an attachment.
 */
function examinedFor(tables: Certificate["tables"], policies: CheckedPolicies): readonly Examined[] {
  const named = new Set(tables.map((table) => ("attachment" in table ? table.attachment : null)));
  const attachments = policies.placed.filter(({ attachment: { name } }) => named.has(name));
  const hooks = named.has(null) ? HOOK_NAMES.filter((hook) => policies.at(hook).length > 0) : [];
  return [
    ...attachments.flatMap((its) => its.hooks.map((hook) => attachmentAt(hook, policies, its))),
    ...hooks.map((hook) => decisionAt(hook, policies)),
  ];
}

/** What a certificate says about what it is made of has to be what is here. */
function compare(stated: object, given: object, place: string): void {
  for (const [key, value] of Object.entries(JSON.parse(JSON.stringify(stated))))
    if (!isDeepStrictEqual((given as Readonly<Record<string, unknown>>)[key], value))
      throw rejected("PROOF_OUTDATED", "differs from that of the files which are here", `${place}.${key}`);
}
