import type { AnyNode, FunctionDeclaration } from "acorn";
import { full } from "acorn-walk";
import type MagicString from "magic-string";
import type { Source } from "./source.js";

/**
 * Turns the functions that a policy exports as hooks into arrow functions, where nobody can tell: they are made anew for each
 * decision, and a function declaration also makes an object for its `prototype`, which costs as much as all the rest. Only
 * where the name stands nowhere else in the file, and nothing within asks for `this`, `arguments` or `new.target`.
 */
export function lighten(source: Source, text: MagicString, hooks: ReadonlySet<string>): void {
  for (const statement of source.program.body) {
    const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : null;
    if (node?.type !== "FunctionDeclaration" || node.generator || !hooks.has(node.id.name)) continue;
    if (asksForItself(node) || timesNamed(source, node.id.name) > 1) continue;
    const open = source.tokens.find(({ start, type }) => start >= node.id.end && type.label === "(")!;
    const close = source.tokens.findLast(({ start, type }) => start < node.body.start && type.label === ")")!;
    text.overwrite(node.start, node.start + "function".length, "const");
    text.prependLeft(open.start, "=");
    text.appendLeft(close.end, "=>");
    text.appendLeft(node.end, ";");
  }
}

function asksForItself(node: FunctionDeclaration): boolean {
  let found = false;
  full(node, (inner: AnyNode) => {
    if (inner.type === "ThisExpression" || inner.type === "MetaProperty" || inner.type === "Super") found = true;
    if (inner.type === "Identifier" && inner.name === "arguments") found = true;
  });
  return found;
}

/** Tokens, not references: that a property has the same name costs no more than the speed. */
function timesNamed({ text, tokens }: Source, name: string): number {
  return tokens.filter(({ start, end }) => end - start === name.length && text.startsWith(name, start)).length;
}
