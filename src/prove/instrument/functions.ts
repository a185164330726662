import type { BlockStatement } from "acorn";
import type { FunctionNode } from "../../policy/syntax/nodes.js";
import { parameters } from "./patterns.js";
import type { Writer } from "./writer.js";

/** A function whose parameters are taken apart in its body, by calls of the explorer. */
export function functionText(node: FunctionNode, to: Writer): string {
  const { list, begin } = parameters(node.params, to);
  if (node.type === "ArrowFunctionExpression") {
    const body = node.expression
      ? `return ${to.call("returned", node.body, to.expression(node.body))};`
      : to.statements((node.body as BlockStatement).body);
    return `${to.prefix}.own((${list})=>{${begin}${body}})`;
  }
  const body = node.generator ? `return ${to.notDecided(node, "a generator")};` : to.statements(node.body.body);
  const text = `function ${node.id?.name ?? ""}(${list}){${begin}${body}}`;
  return node.type === "FunctionDeclaration" && node.id ? text : `${to.prefix}.own(${text})`;
}
