import type { AnyNode } from "acorn";
import type { Source } from "../../policy/syntax/source.js";
import type { Unit } from "../../policy/units/units.js";

/**
 * Whether nothing that a file declares can change while a policy is asked: it declares functions, constants, and lists
 * of constants that it only reads. False also for what is not certain. Properties that a policy sets on a function are
 * state, too, but a path that does so or reads one is not decided.
 */
export function isStateless({ source }: Unit): boolean {
  return source.program.body.every((node) => {
    if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") return true;
    const declared = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declared === null || declared === undefined || declared.type === "FunctionDeclaration") return true;
    if (declared.type !== "VariableDeclaration" || declared.kind !== "const") return false;
    const isExported = node.type === "ExportNamedDeclaration";
    return declared.declarations.every(({ id, init }) => {
      if (init === null || init === undefined || id.type !== "Identifier") return false;
      if (CONSTANT.has(init.type)) return true;
      return !isExported && isListOfConstants(init) && isOnlyRead(id, source);
    });
  });
}

const CONSTANT: ReadonlySet<string> = new Set(["Literal", "ArrowFunctionExpression", "FunctionExpression"]);
/** What leaves a list as it is, and does not return it. */
const READS: ReadonlySet<string> = new Set(["includes", "indexOf", "some", "every", "find", "join", "length"]);

function isListOfConstants(node: AnyNode): boolean {
  return node.type === "ArrayExpression" && node.elements.every((element) => element?.type === "Literal");
}

function isOnlyRead(id: AnyNode & { readonly name: string }, { nodes }: Source): boolean {
  const read = new Set<AnyNode>([id]);
  for (const node of nodes)
    if (node.type === "MemberExpression" && !node.computed && node.property.type === "Identifier")
      if (READS.has(node.property.name)) read.add(node.object);
  // `list.length = 0` and the third argument of a callback, which is the list, change it
  const isSafe = nodes.every((node) => {
    if (node.type === "AssignmentExpression" || node.type === "UpdateExpression") {
      const target = node.type === "AssignmentExpression" ? node.left : node.argument;
      return target.type !== "MemberExpression" || !read.has(target.object as AnyNode);
    }
    return !isCallbackWithList(node);
  });
  return isSafe && nodes.every((node) => node.type !== "Identifier" || node.name !== id.name || read.has(node));
}

function isCallbackWithList(node: AnyNode): boolean {
  return "params" in node && (node.params.length > 2 || node.params.some(({ type }) => type === "RestElement"));
}
