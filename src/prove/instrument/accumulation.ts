import type { AnyNode, ForOfStatement } from "acorn";
import { isFunction } from "../../policy/syntax/nodes.js";
import { boundNames, childrenOf, declaredNames } from "./regions.js";

/** The variables around a loop to which its body assigns, apart from functions in it. */
export function accumulatorsOf({ left, body }: ForOfStatement): readonly string[] {
  const declared = new Set([...declaredNames([body]), ...patternNames(left)]);
  const names = new Set<string>();
  const visit = (node: AnyNode): void => {
    if (isFunction(node)) return;
    const target =
      node.type === "AssignmentExpression" ? node.left : node.type === "UpdateExpression" ? node.argument : null;
    if (target?.type === "Identifier" && !declared.has(target.name)) names.add(target.name);
    for (const child of childrenOf(node)) visit(child);
  };
  visit(body);
  return [...names];
}

function patternNames(left: AnyNode): readonly string[] {
  return left.type === "VariableDeclaration" ? left.declarations.flatMap(({ id }) => boundNames(id)) : [];
}
