import type { AnyNode } from "acorn";
import type { Source } from "./source.js";

/**
 * Of each hook whether a policy's own file declares it as a function without parameters, so that no subject need be
 * handed over to it: as an arrow, or where nothing tells whether it is one. Any other may find its subject in some way,
 * and counts as one that looks. `light` are the functions that the linker makes arrows of.
 */
export function blindHooks(source: Source, hooks: readonly string[], light: ReadonlySet<AnyNode>): readonly boolean[] {
  const blind = new Set<string>();
  for (const statement of source.program.body) {
    const node: AnyNode | null | undefined = statement.type === "ExportNamedDeclaration" ? statement.declaration : null;
    if (node?.type === "FunctionDeclaration" && node.params.length === 0 && light.has(node)) blind.add(node.id.name);
    if (node?.type !== "VariableDeclaration" || node.kind !== "const") continue;
    for (const { id, init } of node.declarations)
      if (id.type === "Identifier" && init?.type === "ArrowFunctionExpression" && init.params.length === 0)
        blind.add(id.name);
  }
  return hooks.map((hook) => blind.has(hook));
}
