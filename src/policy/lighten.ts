import type { AnyNode, FunctionDeclaration } from "acorn";
import type { Edits } from "./edits.js";
import type { Source } from "./source.js";

/**
 * Turns the functions that a policy exports as hooks into arrow functions, where nobody can tell: they are made anew for each
 * decision, and a function declaration also makes an object for its `prototype`, which costs as much as all the rest. Only
 * where the name stands nowhere else in the file, and nothing within asks for `this`, `arguments` or `new.target`.
 */
export function lighten(source: Source, edits: Edits, hooks: readonly string[]): void {
  for (const statement of source.program.body) {
    const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : null;
    if (node?.type !== "FunctionDeclaration" || !canBeArrow(source, node, hooks)) continue;
    edits.replace(node.start, node.start + "function".length, "const");
    edits.close(node.id.end, "=");
    edits.close(parametersEnd(source, node), "=>");
    edits.close(node.end, ";");
  }
}

/** Whether {@link lighten} makes an arrow function of it. */
export function canBeArrow(source: Source, node: FunctionDeclaration, hooks: readonly string[]): boolean {
  if (node.generator || !hooks.includes(node.id.name)) return false;
  return !asksForItself(source, node) && !isNamedTwice(source, node.id.name);
}

function asksForItself({ nodes }: Source, { start, end }: FunctionDeclaration): boolean {
  return nodes.some((node) => node.start >= start && node.end <= end && asks(node));
}

function asks(node: AnyNode): boolean {
  if (node.type === "Identifier") return node.name === "arguments";
  return node.type === "ThisExpression" || node.type === "MetaProperty" || node.type === "Super";
}

/** Tokens, not references: that a property has the same name costs no more than the speed. */
function isNamedTwice(source: Source, name: string): boolean {
  const { text } = source;
  // most often comments do not name it either
  if (text.indexOf(name) === text.lastIndexOf(name)) return false;
  return source.tokens().filter(({ start, end }) => text.slice(start, end) === name).length > 1;
}

/** What can stand before the `)` of parameters, behind the last of them. */
const CLOSING = /(?:[\s(,]|\/\/.*|\/\*[\s\S]*?\*\/)*\)/y;

function parametersEnd({ text }: Source, { id, params }: FunctionDeclaration): number {
  CLOSING.lastIndex = params.at(-1)?.end ?? id.end;
  CLOSING.test(text);
  return CLOSING.lastIndex;
}
