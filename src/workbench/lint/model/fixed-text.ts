import type { AnyNode } from "acorn";
import { staticName } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "./policy-file.js";

/** Maximum length of an expression that is compared with others, in characters. */
const MAX_LENGTH = 300;
/** Methods that give the same result each time. */
const PURE: ReadonlySet<string> = new Set(
  "includes startsWith endsWith indexOf has at slice toLowerCase toUpperCase trim hasOwn keys".split(" "),
);

/**
 * The text of an expression if it has the same value wherever it is evaluated in one decision: made of facts, constants
 * and helpers. Null for any other expression. Texts are comparable within one block.
 */
export function fixedText(file: PolicyFile, node: AnyNode): string | null {
  return node.end - node.start <= MAX_LENGTH && isFixed(file, node) ? file.text(node).replace(/\s+/g, " ") : null;
}

function isFixed(file: PolicyFile, node: AnyNode): boolean {
  switch (node.type) {
    case "Literal":
      return !("regex" in node && node.regex);
    case "Identifier":
      return node.name === "undefined" || file.isConstant(node);
    case "MemberExpression":
      return isFixed(file, node.object) && (!node.computed || isFixed(file, node.property));
    case "ChainExpression":
      return isFixed(file, node.expression);
    case "UnaryExpression":
      return node.operator !== "delete" && isFixed(file, node.argument);
    case "BinaryExpression":
      return isFixed(file, node.left) && isFixed(file, node.right);
    case "LogicalExpression":
      return isFixed(file, node.left) && isFixed(file, node.right);
    case "CallExpression":
      return isFixedCall(file, node) && node.arguments.every((argument) => isFixed(file, argument));
    default:
      return false;
  }
}

function isFixedCall(file: PolicyFile, node: AnyNode & { type: "CallExpression" }): boolean {
  const helper = file.helperOf(node);
  if (helper === "map_lookup")
    return !file.helperCalls.some((call) => call.helper.startsWith("map_") && call.helper !== helper);
  if (helper !== null) return /^(?:verify_\w+|hash)$/.test(helper);
  const { callee } = node;
  if (callee.type !== "MemberExpression" || !PURE.has(staticName(callee.property, callee.computed) ?? "")) return false;
  // A list of the policy can change between two calls; facts cannot.
  return file.flow.kindOf(callee.object) !== null || file.values.isOnly(callee.object, "string");
}
