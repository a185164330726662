import type { AnyNode, Declaration, ModuleDeclaration, Statement } from "acorn";
import type { Source } from "./source.js";

/**
 * Whether a policy's own file has nothing in which a decision could leave something for the next one, so that what it
 * declares can be made once for a runtime and not anew for each decision, which costs as much as all else: arrow
 * functions that are called and nothing else, and constants that are primitive. What a function's body makes is made
 * for each call anyway. `light` are the functions that the linker makes arrows of.
 */
export function hasNoMemory(source: Source, light: ReadonlySet<AnyNode>): boolean {
  const names = new Set<string>();
  return source.program.body.every((statement) => isFixed(light, statement, names)) && areOnlyCalled(source, names);
}

function isFixed(
  light: ReadonlySet<AnyNode>,
  statement: Statement | ModuleDeclaration,
  functions: Set<string>,
): boolean {
  if (statement.type === "ImportDeclaration" || statement.type === "EmptyStatement") return true;
  const node: AnyNode | Declaration | null | undefined =
    statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (node?.type === "FunctionDeclaration") return light.has(node);
  if (node?.type !== "VariableDeclaration" || node.kind !== "const") return false;
  return node.declarations.every(({ id, init }) => {
    if (id.type !== "Identifier") return false;
    if (init?.type === "ArrowFunctionExpression") functions.add(id.name);
    return init?.type === "ArrowFunctionExpression" || (init?.type === "Literal" && !("regex" in init && init.regex));
  });
}

/** A function that is never a value has no property that could be set, and is nothing that could be kept. */
function areOnlyCalled({ nodes }: Source, functions: ReadonlySet<string>): boolean {
  const callees = new Set(nodes.map((node) => (node.type === "CallExpression" ? node.callee : null)));
  return nodes.every((node) => node.type !== "Identifier" || !functions.has(node.name) || callees.has(node));
}
