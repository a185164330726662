import type { AnyNode } from "acorn";
import type { Source } from "../syntax/source.js";

/**
 * Says for each hook whether its function certainly cannot read a subject, so that none need be encoded for it: the
 * policy's own file declares it without parameters, as an arrow function or as a function that the linker makes one
 * (`arrows`). Any other function counts as reading the subject.
 */
export function hooksWithoutSubject(
  source: Source,
  hooks: readonly string[],
  arrows: ReadonlySet<AnyNode>,
): readonly boolean[] {
  const blind = new Set<string>();
  for (const statement of source.program.body) {
    const node: AnyNode | null | undefined = statement.type === "ExportNamedDeclaration" ? statement.declaration : null;
    if (node?.type === "FunctionDeclaration" && node.params.length === 0 && arrows.has(node)) blind.add(node.id.name);
    if (node?.type !== "VariableDeclaration" || node.kind !== "const") continue;
    for (const { id, init } of node.declarations)
      if (id.type === "Identifier" && init?.type === "ArrowFunctionExpression" && init.params.length === 0)
        blind.add(id.name);
  }
  return hooks.map((hook) => blind.has(hook));
}
