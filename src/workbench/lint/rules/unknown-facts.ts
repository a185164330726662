import type { AnyNode, Pattern } from "acorn";
import { CAN_BE_UNKNOWN } from "../../../policy/model/facts.gen.js";
import { staticName, testedNames } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

export const UNKNOWN_FACT: Rule = {
  code: "LINT_UNKNOWN_FACT",
  severity: "warning",
  summary: "a fact of a module that can be unknown, in a file that never asks whether it is known: `file.path`",
  consequence: "Where the fact is unknown, the read is the fault UNKNOWN_FACT, and the module is denied.",
  *check(file) {
    const { unsure } = file;
    if (unsure === null) return;
    const asked = testedNames(file.unit.source);
    for (const [node, name] of readsOf(file)) {
      if (asked.has(name) || file.isCaught(node) || isInOtherHook(file, node, unsure)) continue;
      const message = `\`${name}\` of a module can be unknown, which this file never asks: the read is then a fault`;
      yield { node, message, remedy: `ask \`"${name}" in file\` first, and decide what applies where it is unknown` };
    }
  },
};

/** Reads of facts that a subject can lack. */
function* readsOf(file: PolicyFile): Iterable<readonly [node: AnyNode, name: string]> {
  for (const node of file.nodes("MemberExpression", "VariableDeclarator")) {
    const isMember = node.type === "MemberExpression";
    const object = isMember ? node.object : node.init;
    const kind = object ? file.flow.kindOf(object) : null;
    if (kind === null || !Object.hasOwn(CAN_BE_UNKNOWN, kind)) continue;
    const keys = isMember ? [{ key: node.property, computed: node.computed }] : keysOf(node.id);
    for (const { key, computed } of keys) {
      const name = staticName(key, computed);
      if (name !== null && CAN_BE_UNKNOWN[kind]!.includes(name)) yield [isMember ? node : key, name];
    }
  }
}

/** The keys that a pattern takes from a value. */
function keysOf(pattern: Pattern): readonly { readonly key: AnyNode; readonly computed: boolean }[] {
  if (pattern.type !== "ObjectPattern") return [];
  return pattern.properties.filter((property) => property.type === "Property");
}

/** Whether an expression is in a hook function that is never asked about modules. */
function isInOtherHook(file: PolicyFile, node: AnyNode, unsure: ReadonlySet<AnyNode>): boolean {
  return [...file.around(node)].some((outer) => file.hooks.has(outer as never) && !unsure.has(outer));
}
