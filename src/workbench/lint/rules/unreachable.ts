import type { AnyNode } from "acorn";
import type { Rule } from "../model/rule.js";

/** Statements that do nothing where they stand: declarations that are hoisted, and a `break` after a `return`. */
function isHarmless(node: AnyNode): boolean {
  if (node.type === "VariableDeclaration") return node.kind === "var" && node.declarations.every(({ init }) => !init);
  return node.type === "FunctionDeclaration" || node.type === "EmptyStatement" || node.type === "BreakStatement";
}

export const UNREACHABLE_CODE: Rule = {
  code: "LINT_UNREACHABLE_CODE",
  severity: "error",
  summary: "code that can never run",
  consequence: "A check in it has no effect.",
  *check(file) {
    const lists = [
      file.unit.source.program.body as readonly AnyNode[],
      ...file.nodes("BlockStatement", "StaticBlock").map(({ body }) => body),
      ...file.nodes("SwitchStatement").flatMap(({ cases }) => cases.map(({ consequent }) => consequent)),
    ];
    for (const statements of lists) {
      const last = statements.findIndex((statement) => !file.completion.completes(statement));
      const node = last === -1 ? undefined : statements.slice(last + 1).find((statement) => !isHarmless(statement));
      if (node === undefined) continue;
      const { line } = file.unit.source.lines.positionAt(statements[last]!.start);
      const message = `this code never runs: the statement on line ${line} always leaves before it`;
      yield { node, message, remedy: "remove it, or move it before that statement" };
    }
  },
};
