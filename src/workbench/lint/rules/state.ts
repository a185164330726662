import type { AnyNode } from "acorn";
import type { Variable } from "../../../policy/syntax/variable.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

const LOOPS: ReadonlySet<string> = new Set(
  "WhileStatement DoWhileStatement ForStatement ForInStatement ForOfStatement".split(" "),
);

/** The variable that a statement counts up or down. */
function counted(file: PolicyFile, node: AnyNode): Variable | undefined {
  const target =
    node.type === "UpdateExpression"
      ? node.argument
      : node.type === "AssignmentExpression" && /^[-+]=$/.test(node.operator)
        ? node.left
        : null;
  return target?.type === "Identifier" ? file.unit.variables.meant(target) : undefined;
}

export const STATE_LOST: Rule = {
  code: "LINT_STATE_LOST",
  severity: "error",
  summary: "a module variable that counts decisions: `loads += 1`",
  consequence: "Each decision starts with a fresh module, so the variable is the same at the start of each.",
  *check(file) {
    const topLevel = new Set(file.unit.source.tree.topLevel.values());
    const writes = new Map<Variable, AnyNode[]>();
    for (const node of file.nodes("UpdateExpression", "AssignmentExpression")) {
      const variable = counted(file, node);
      if (variable !== undefined && topLevel.has(variable))
        writes.set(variable, [...(writes.get(variable) ?? []), node]);
    }
    for (const [variable, [node, ...others]] of writes) {
      // A variable that a loop or another function counts can be a result within one decision.
      if (node === undefined || others.length > 0 || variable.writes !== 2 || !isOnceInHook(file, node)) continue;
      const message = `\`${variable.name}\` starts anew with each decision, so it counts at most one`;
      yield { node, message, remedy: "keep it in a writable map, with `map_lookup` and `map_update`" };
    }
  },
};

function isOnceInHook(file: PolicyFile, node: AnyNode): boolean {
  for (const outer of file.around(node)) {
    if (LOOPS.has(outer.type)) return false;
    if (/Function/.test(outer.type)) return file.hooks.has(outer as never);
  }
  return false;
}
