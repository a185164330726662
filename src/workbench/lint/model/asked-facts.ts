import type { AnyNode } from "acorn";
import { staticName } from "../../../policy/units/property-names.js";
import { holdsAt } from "./control-flow.js";
import type { PolicyFile } from "./policy-file.js";

/**
 * Whether it may have been asked, wherever control flow reaches a read, that an object has the fact. True also where
 * that cannot be told: a question whose answer goes elsewhere, such as to a caller, can be about any read.
 */
export function isFactAsked(file: PolicyFile, read: AnyNode, kind: string, name: string): boolean {
  const isQuestion = (node: AnyNode): boolean => {
    const asked = questionOf(node);
    return asked?.name === name && kindOf(file, asked.object) === kind;
  };
  if (holdsAt(file, read, (node, is) => is && isQuestion(node))) return true;
  const questions = file.nodes("BinaryExpression", "CallExpression").filter((node) => questionOf(node)?.name === name);
  return questions.some((node) => !isQuestion(node) || !isPlain(file, node, read));
}

/** `"name" in object`, `Object.hasOwn(object, "name")` or `object.hasOwnProperty("name")`; null for all else. */
function questionOf(node: AnyNode): { readonly object: AnyNode; readonly name: string | null } | null {
  if (node.type === "BinaryExpression")
    return node.operator === "in" ? { object: node.right, name: staticName(node.left, true) } : null;
  if (node.type !== "CallExpression" || node.callee.type !== "MemberExpression") return null;
  const called = staticName(node.callee.property, node.callee.computed);
  const [first, second] = node.arguments;
  if (called === "hasOwn" && first !== undefined && second !== undefined)
    return { object: first, name: staticName(second, true) };
  if (called === "hasOwnProperty" && first !== undefined)
    return { object: node.callee.object, name: staticName(first, true) };
  return null;
}

function kindOf(file: PolicyFile, object: AnyNode): string | null {
  return object.type === "Super" ? null : file.flow.kindOf(object);
}

/**
 * Whether all consequences of a question are in its expression, in the branches of an `if` or `?:` that it decides, or
 * in the statements after such an `if` of the same block, so that it says nothing about a read elsewhere. `read` is the
 * read that is not in any of them.
 */
function isPlain(file: PolicyFile, question: AnyNode, read: AnyNode): boolean {
  let at = question;
  for (const outer of file.around(question)) {
    switch (outer.type) {
      case "UnaryExpression":
      case "LogicalExpression":
      case "ConditionalExpression":
        break;
      case "IfStatement": {
        // An `if` deeper than the read can leave only in cases that the read's own conditions exclude
        const leaves = !completes(file, outer.consequent) || (outer.alternate && !completes(file, outer.alternate));
        return at === outer.test && (!leaves || isAround(file, file.parent(outer), read));
      }
      case "VariableDeclarator":
        return outer.id.type === "Identifier" && file.isConstant(outer.id);
      case "ReturnStatement":
        return isInHook(file, outer);
      case "ArrowFunctionExpression":
        return file.hooks.has(outer);
      default:
        return false;
    }
    at = outer;
  }
  return false;
}

function completes(file: PolicyFile, statement: AnyNode): boolean {
  return file.completion.completes(statement as never);
}

function isAround(file: PolicyFile, outer: AnyNode | undefined, node: AnyNode): boolean {
  return [...file.around(node)].some((one) => one === outer);
}

/** Whether the innermost function around a node is that of a hook. */
function isInHook(file: PolicyFile, node: AnyNode): boolean {
  const outer = file.functionAround(node);
  return outer !== null && file.hooks.has(outer);
}
