import type { AnyNode, ExpressionStatement, Function as FunctionNode, Identifier } from "acorn";
import { ancestor } from "acorn-walk";
import { forbidden, type Source } from "./source.js";

interface Rule {
  readonly message: string;
  readonly remedy: string;
}

/** Kinds of node that no policy may have: what would wait, load, or look outside of the decision. */
const RULES: Readonly<Record<string, Rule>> = {
  AwaitExpression: { message: "waits with `await`", remedy: "a decision is made at once: remove the `await`" },
  ImportExpression: { message: "imports while it runs", remedy: "use an import declaration at the top of the file" },
  MetaProperty: { message: "asks for `import.meta` or `new.target`", remedy: "remove it" },
  DebuggerStatement: { message: "has a `debugger` statement", remedy: "remove it" },
};
const ASYNC: Rule = { message: "has an async function", remedy: "a decision is made at once: remove the `async`" };
const FOR_AWAIT: Rule = { message: "waits with `for await`", remedy: "use a plain `for`" };
const EVAL: Rule = { message: "names `eval`", remedy: "policies cannot make code: remove it" };
const ARGUMENTS: Rule = { message: "names `arguments` outside of a function", remedy: "remove it" };
const DIRECTIVE: Rule = { message: 'has a directive that is not "use strict"', remedy: "remove it" };
const CATCH_PATTERN: Rule = {
  message: "takes an error apart in `catch`",
  remedy: "name the error, and take it apart in the block",
};

/** Refuses what a policy may not have. Throws POLICY_FORBIDDEN with the place. */
export function refuseForbidden(source: Source): void {
  const refuse = (node: AnyNode, rule: Rule): never => {
    throw forbidden(source, node, rule.message, rule.remedy);
  };
  const visitors: Record<string, (node: never, state: unknown, ancestors: AnyNode[]) => void> = {
    Function: (node: FunctionNode & AnyNode) => {
      if (node.async) refuse(node, ASYNC);
    },
    ForOfStatement: (node: AnyNode & { await: boolean }) => {
      if (node.await) refuse(node, FOR_AWAIT);
    },
    CatchClause: (node: AnyNode & { param?: AnyNode | null }) => {
      if (node.param && node.param.type !== "Identifier") refuse(node.param, CATCH_PATTERN);
    },
    ExpressionStatement: (node: ExpressionStatement & { directive?: string }) => {
      if (node.directive !== undefined && node.directive !== "use strict") refuse(node, DIRECTIVE);
    },
    Identifier: (node: Identifier, _state: unknown, ancestors: AnyNode[]) => {
      if (node.name === "eval") refuse(node, EVAL);
      if (node.name === "arguments" && !ancestors.some(ownsArguments)) refuse(node, ARGUMENTS);
    },
  };
  for (const [type, rule] of Object.entries(RULES)) visitors[type] = (node: AnyNode) => refuse(node, rule);
  ancestor(source.program, visitors as Parameters<typeof ancestor>[1]);
}

function ownsArguments(node: AnyNode): boolean {
  return node.type === "FunctionDeclaration" || node.type === "FunctionExpression";
}
