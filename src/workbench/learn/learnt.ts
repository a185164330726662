import type { Config } from "../../config/config.js";
import type { LearnBy } from "./learn-by.js";
import { LEARNT_FILES, learntConfiguration } from "./learnt-configuration.js";
import { learntMapJson } from "./learnt-map.js";
import { learntPolicy, type PolicyForm } from "./learnt-policy.js";
import type { LearntRule } from "./learnt-rules.js";
import { learntTests } from "./learnt-tests.js";
import { order } from "./order.js";

/** The form of the policy for these rules. */
export function formOf(rules: readonly LearntRule[], by: LearnBy, label: string | null): PolicyForm {
  const keyrings = rules.flatMap(({ condition }) => ("keyring" in condition ? [condition.keyring] : []));
  return { by, label, keyrings: [...new Set(keyrings)].sort(order) };
}

/**
 * The texts of all files, by their names in `folder`. The same rules give the same texts. `from` has the keyrings.
 * Throws as {@link learntConfiguration}.
 */
export function learntFiles(
  rules: readonly LearntRule[],
  form: PolicyForm,
  from: Config | null,
  folder: string,
): ReadonlyMap<string, string> {
  return new Map([
    [LEARNT_FILES.configuration, learntConfiguration(form, from, folder)],
    [LEARNT_FILES.policy, learntPolicy(form)],
    [LEARNT_FILES.tests, learntTests(form, rules)],
    [LEARNT_FILES.map, learntMapJson(rules)],
  ]);
}
