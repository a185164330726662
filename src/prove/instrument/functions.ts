import type { AnyNode, BlockStatement } from "acorn";
import type { FunctionNode } from "../../policy/syntax/nodes.js";
import { parameters } from "./patterns.js";
import type { Writer } from "./writer.js";

/**
 * The number of parameters of a function, in JavaScript; infinitely many with a rest parameter. A policy can declare
 * variables that are named `Infinity` or `undefined`.
 */
export function parameterCount({ params }: FunctionNode): string {
  return params.at(-1)?.type === "RestElement" ? "1/0" : String(params.length);
}

/** A function whose parameters are taken apart in its body, by calls of the explorer. */
export function functionText(node: FunctionNode, to: Writer): string {
  const nodes = node.type === "ArrowFunctionExpression" && node.expression ? [node.body] : statementsOf(node);
  const name = node.type === "FunctionExpression" && node.id ? [node.id] : [];
  let list = "";
  const body = to.region([...name, ...node.params], nodes, () => {
    if (to.capturesNames(node)) return `return ${to.notDecided(node, "a name in a default value of a parameter")};`;
    const taken = parameters(node.params, to);
    list = taken.list;
    return taken.begin + bodyText(node, to);
  });
  const owned = (text: string) => `${to.prefix}.own(${text},${parameterCount(node)})`;
  if (node.type === "ArrowFunctionExpression") return owned(`(${list})=>{${body}}`);
  const text = `function ${node.id?.name ?? ""}(${list}){${body}}`;
  return node.type === "FunctionDeclaration" && node.id ? text : owned(text);
}

function bodyText(node: FunctionNode, to: Writer): string {
  if (node.type === "ArrowFunctionExpression" && node.expression)
    return `return ${to.call("returned", node.body, to.expression(node.body))};`;
  return node.generator ? `return ${to.notDecided(node, "a generator")};` : to.statements(statementsOf(node));
}

function statementsOf(node: FunctionNode): readonly AnyNode[] {
  return (node.body as BlockStatement).body;
}
