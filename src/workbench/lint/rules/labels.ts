import type { AnyNode } from "acorn";
import { nearest } from "../../../nearest.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

/** Short keys such as `app` and `api` are often similar without being misspelt. */
const SHORT = 3;

/** The label keys that a file reads, with the node of each. */
function labelReads(file: PolicyFile): { readonly key: string; readonly node: AnyNode }[] {
  return file.nodes("MemberExpression").flatMap(({ object, property, computed }) => {
    const key = file.flow.nullableOf(object) === "Container.labels" ? staticName(property, computed) : null;
    return key === null ? [] : [{ key, node: property }];
  });
}

export const UNKNOWN_LABEL: Rule = {
  code: "LINT_UNKNOWN_LABEL",
  severity: "error",
  summary: "a label that is probably misspelt: scopes and tests have `tier`, and the policy reads `labels.teir`",
  consequence: "The label is missing from every container, so the rule that reads it never applies.",
  *check(file) {
    for (const { key, node } of labelReads(file)) {
      if (file.labels.has(key)) continue;
      const meant = key.length > SHORT ? nearest(key, file.labels) : null;
      if (meant === null) continue;
      const message = `no scope and no test has the label \`${key}\` (did you mean \`${meant}\`?)`;
      yield { node, message, remedy: "correct the label, or add a test case with this label" };
    }
  },
};
