import type { AnyNode } from "acorn";
import type { Source } from "../syntax/source.js";
import { keyOf } from "./variables.js";

/** The name of a property or index, if it is a literal; otherwise null. */
export function staticName(key: AnyNode, computed: boolean): string | null {
  if (key.type === "Literal" && typeof key.value === "number") return String(key.value);
  return keyOf(key, computed);
}

/** Names that a file tests for: `"name" in prog`, `Object.hasOwn(prog, "name")`, `prog.hasOwnProperty("name")`. */
export function testedNames({ nodes }: Source): Set<string> {
  const names = new Set<string>();
  const add = (node: AnyNode | undefined) => {
    const name = node === undefined ? null : staticName(node, true);
    if (name !== null) names.add(name);
  };
  for (const node of nodes) {
    if (node.type === "BinaryExpression" && node.operator === "in") add(node.left);
    if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") continue;
    const called = staticName(node.callee.property, node.callee.computed);
    if (called === "hasOwn") add(node.arguments[1]);
    if (called === "hasOwnProperty") add(node.arguments[0]);
  }
  return names;
}
