import type { AnyNode, ExportNamedDeclaration, FunctionDeclaration } from "acorn";
import type { Source } from "../syntax/source.js";
import type { Edits } from "../units/edits.js";

/**
 * The exported hook functions that {@link toArrowFunctions} makes arrow functions: those whose name occurs nowhere else
 * in the file and that do not use `this`, `arguments` or `new.target`.
 */
export function arrowCandidates(source: Source, hooks: readonly string[]): ReadonlySet<AnyNode> {
  const { nodes, firsts } = source.tree;
  const found = new Set<AnyNode>();
  for (const { type, declaration } of source.program.body as ExportNamedDeclaration[]) {
    if (type !== "ExportNamedDeclaration" || declaration?.type !== "FunctionDeclaration") continue;
    if (declaration.generator || !hooks.includes(declaration.id.name) || isNamedTwice(source, declaration.id.name))
      continue;
    const index = nodes.indexOf(declaration);
    if (!nodes.slice(firsts[index], index).some(asks)) found.add(declaration);
  }
  return found;
}

/**
 * Turns functions into arrow functions. They are created anew for each decision, and a function declaration also
 * creates its `prototype` object, which doubles the cost.
 */
export function toArrowFunctions(source: Source, edits: Edits, functions: ReadonlySet<AnyNode>): void {
  for (const node of functions as ReadonlySet<FunctionDeclaration>) {
    edits.replace(node.start, node.start + "function".length, "const");
    edits.close(node.id.end, "=");
    edits.close(parametersEnd(source, node), "=>");
    edits.close(node.end, ";");
  }
}

function asks(node: AnyNode): boolean {
  if (node.type === "Identifier") return node.name === "arguments";
  return node.type === "ThisExpression" || node.type === "MetaProperty" || node.type === "Super";
}

/** Compares tokens, not references. If a property has the same name, the function is only not optimized. */
function isNamedTwice(source: Source, name: string): boolean {
  const { text } = source;
  // Usually the name occurs once, so that the text need not be tokenized.
  if (text.indexOf(name) === text.lastIndexOf(name)) return false;
  return source.tokens().filter(({ start, end }) => text.slice(start, end) === name).length > 1;
}

/** Text between the last parameter and the `)` after it. */
const CLOSING = /(?:[\s(,]|\/\/.*|\/\*[\s\S]*?\*\/)*\)/y;

function parametersEnd({ text }: Source, { id, params }: FunctionDeclaration): number {
  CLOSING.lastIndex = params.at(-1)?.end ?? id.end;
  CLOSING.test(text);
  return CLOSING.lastIndex;
}
