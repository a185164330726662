import { HOOK_NAMES, type HookName } from "../../hooks/catalogue.js";
import type { EvaluatedProperty } from "../property/evaluated-property.js";
import type { Stated, TableCertificate } from "../shared/certificate.js";
import type { CheckedPolicies } from "./checked-policies.js";
import { digestsOf } from "./digests.js";
import { attachmentAt, decisionAt, type Examined, propertyAt } from "./examined.js";
import { rejected, requireEqual } from "./form.js";
import { type CheckedCounts, TableChecker } from "./table-checker.js";

/** A table that was checked: what it is about, and counts. */
export type CheckedTable = Stated & CheckedCounts;

/** Finds a property by its name; null if there is none. */
export type FindProperty = (name: string, hook: HookName) => EvaluatedProperty | null;

const CHANGED = () => "is not that of the current files and version of Countersign";
const OTHERS = "lacks a table, repeats one, or has one about an attachment or property that is not here";

/** Checks a certificate against the policies and properties as they are now. Throws PROOF_ errors. */
export function* checkCertificate(
  { digests, maps, tables }: TableCertificate,
  policies: CheckedPolicies,
  find: FindProperty,
  file: string,
): Generator<CheckedTable> {
  requireEqual(digestsOf(policies.config.file), digests, "PROOF_OUTDATED", CHANGED, `${file}: digests`);
  requireEqual(policies.names.known ?? {}, maps, "PROOF_OUTDATED", CHANGED, `${file}: maps`);
  const all = examinedFor(tables, policies, find);
  if (all.length !== tables.length || all.length === 0) throw rejected("PROOF_OUTDATED", OTHERS, `${file}: tables`);
  for (const [index, { tree, ...stated }] of tables.entries()) {
    const place = `${file}: tables[${index}]`;
    requireEqual({ ...stated, ...all[index]!.stated }, stated, "PROOF_OUTDATED", CHANGED, place);
    const counts = new TableChecker(all[index]!, policies.names).check(tree, `${place}.tree`);
    if ("answer" in stated && (stated.answer === "proved") !== (counts.failing === 0))
      throw rejected("PROOF_ANSWER_WRONG", "is not what the ends of the tree say", `${place}.answer`);
    yield { ...stated, ...counts };
  }
}

/**
 * What the certificate must have tables of, in this order: each attachment that it names, at all of its hooks; if it
 * has a table of the configuration, the configuration at all hooks with an attachment; and its properties.
 */
function examinedFor(tables: readonly Stated[], policies: CheckedPolicies, find: FindProperty): readonly Examined[] {
  const named = new Set(tables.map((one) => ("attachment" in one ? one.attachment : "property" in one ? "" : null)));
  const attachments = policies.placed.filter(({ attachment: { name } }) => named.has(name));
  const hooks = named.has(null) ? HOOK_NAMES.filter((hook) => policies.at(hook).length > 0) : [];
  return [
    ...attachments.flatMap((its) => its.hooks.map((hook) => attachmentAt(hook, policies, its))),
    ...hooks.map((hook) => decisionAt(hook, policies)),
    ...tables.flatMap((table) => {
      const its = "property" in table ? find(table.property, table.hook) : null;
      return its === null ? [] : [propertyAt(table.hook, policies, its)];
    }),
  ];
}
