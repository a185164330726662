import type { AnyNode } from "acorn";
import { WHEN_NULL } from "../../../engine/load/when-null.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";
import { isVerified } from "../model/verified.js";

/** When each result of a helper is null, for messages. */
const RESULTS: Readonly<Record<string, string>> = {
  "signer_of()": "if nothing is verified",
  "statement_of()": "if nothing is verified",
  "map_lookup()": "if the map does not have the key",
};

/** The value whose property is read here, if the read fails where the value is null. */
function dereferenced(node: AnyNode): AnyNode | null {
  if (node.type === "MemberExpression" && !node.optional) return node.object;
  if (node.type === "VariableDeclarator" && node.id.type === "ObjectPattern") return node.init ?? null;
  return null;
}

export const NULLABLE_FACT: Rule = {
  code: "LINT_NULLABLE_FACT",
  severity: "error",
  summary: "a property of a fact that can be null, in a file that never asks whether it is: `current.container.name`",
  consequence: "Where the fact is null, the read is a fault, and the operation is denied.",
  *check(file) {
    const reads: { readonly node: AnyNode; readonly fact: string }[] = [];
    const asked = new Set<string>(file.guaranteed);
    for (const node of file.nodes("MemberExpression", "Identifier", "CallExpression")) {
      const fact = file.flow.nullableOf(node);
      if (fact === null) continue;
      const role = roleOf(file, node);
      if (role === "read") reads.push({ node, fact });
      else if (role === "asked") asked.add(fact);
    }
    for (const { node, fact } of reads) {
      if (asked.has(fact) || file.isCaught(node) || isVerified(file, node)) continue;
      const when = WHEN_NULL.get(fact) ?? RESULTS[fact] ?? "in some cases";
      const value = fact === "map_lookup()" ? "undefined" : "null";
      const message = `${file.quote(node)} is ${value} ${when}, which this file never asks: the read is then a fault`;
      yield { node, message, remedy: "write `?.`, or decide first what applies where it is missing" };
    }
  },
};

/**
 * What an expression that can be null is used for. Only a plain read and an alias are certain not to ask; any other use
 * can be a question.
 */
function roleOf(file: PolicyFile, node: AnyNode): "read" | "alias" | "asked" {
  let at = node;
  let parent = file.parent(node);
  while (parent?.type === "ChainExpression") [at, parent] = [parent, file.parent(parent)];
  if (parent === undefined) return "asked";
  if (dereferenced(parent) === at) return "read";
  if (parent.type === "VariableDeclarator" && parent.init === at && parent.id.type === "Identifier")
    return file.isConstant(parent.id) ? "alias" : "asked";
  return "asked";
}
