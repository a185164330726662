import type { AnyNode, Declaration, ModuleDeclaration, Statement } from "acorn";
import type { Source } from "../syntax/source.js";

/**
 * Whether the policy's own file certainly cannot keep state from one decision to the next. Then its declarations can be
 * evaluated once for each runtime instead of for each decision, which costs as much as the rest of the decision. This
 * holds for a file that declares only arrow functions that are called and never used as values, and constants with
 * primitive values. `arrows` are the functions that the linker makes arrow functions.
 */
export function isStateless(source: Source, arrows: ReadonlySet<AnyNode>): boolean {
  const names = new Set<string>();
  return source.program.body.every((statement) => isFixed(arrows, statement, names)) && areOnlyCalled(source, names);
}

function isFixed(
  arrows: ReadonlySet<AnyNode>,
  statement: Statement | ModuleDeclaration,
  functions: Set<string>,
): boolean {
  if (statement.type === "ImportDeclaration" || statement.type === "EmptyStatement") return true;
  const node: AnyNode | Declaration | null | undefined =
    statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
  if (node?.type === "FunctionDeclaration") return arrows.has(node);
  if (node?.type !== "VariableDeclaration" || node.kind !== "const") return false;
  return node.declarations.every(({ id, init }) => {
    if (id.type !== "Identifier") return false;
    if (init?.type === "ArrowFunctionExpression") functions.add(id.name);
    return init?.type === "ArrowFunctionExpression" || (init?.type === "Literal" && !("regex" in init && init.regex));
  });
}

/** Whether functions are only called. Nothing can store a property on a function that is never used as a value. */
function areOnlyCalled({ nodes }: Source, functions: ReadonlySet<string>): boolean {
  const callees = new Set(nodes.map((node) => (node.type === "CallExpression" ? node.callee : null)));
  return nodes.every((node) => node.type !== "Identifier" || !functions.has(node.name) || callees.has(node));
}
