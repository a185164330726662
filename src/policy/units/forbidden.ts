import type { AnonymousClassDeclaration, AnyNode, ClassDeclaration, ClassExpression, MethodDefinition } from "acorn";
import { type ByKind, entryFor } from "../syntax/nodes.js";
import { forbidden, type Source } from "../syntax/source.js";
import { leavesFinally } from "./finally.js";

interface Rule {
  readonly message: string;
  readonly remedy: string;
}

const AWAIT: Rule = { message: "waits with `await`", remedy: "a decision is made at once: remove the `await`" };
const IMPORT: Rule = { message: "imports while it runs", remedy: "use an import declaration at the top of the file" };
const META: Rule = { message: "asks for `import.meta` or `new.target`", remedy: "remove it" };
const DEBUGGER: Rule = { message: "has a `debugger` statement", remedy: "remove it" };
const ASYNC: Rule = { message: "has an async function", remedy: "a decision is made at once: remove the `async`" };
const FOR_AWAIT: Rule = { message: "waits with `for await`", remedy: "use a plain `for`" };
const EVAL: Rule = { message: "names `eval`", remedy: "policies cannot make code: remove it" };
const ARGUMENTS: Rule = { message: "names `arguments` outside of a function", remedy: "remove it" };
const DIRECTIVE: Rule = { message: 'has a directive that is not "use strict"', remedy: "remove it" };
const CATCH_PATTERN: Rule = {
  message: "takes an error apart in `catch`",
  remedy: "name the error, and take it apart in the block",
};
const FINALLY: Rule = {
  message: "leaves a `finally` block, which replaces what the `try` block returns",
  remedy: "return, throw or jump behind the whole `try` statement",
};
const STAMP: Rule = {
  message: "has a class with private names that extends another class",
  remedy: "use ordinary properties, or remove `extends`",
};

const ACCESSOR: Rule = {
  message: "has a line break after `get` or `set` in a class",
  remedy: "write the name on the same line",
};

const refused =
  (rule: Rule) =>
  (node: AnyNode): [AnyNode, Rule] => [node, rule];
/**
 * Private names in a class with `extends`. If the base constructor returns another object, the derived class adds its
 * private fields to that object, even to a frozen one (ECMA-262, PrivateFieldAdd), which would keep state between
 * decisions. The base of a class can be changed later, so `extends null` is no exception.
 */
const stamping = (node: ClassDeclaration | AnonymousClassDeclaration | ClassExpression): [AnyNode, Rule] | null =>
  node.superClass && node.body.body.some((member) => "key" in member && member.key.type === "PrivateIdentifier")
    ? [node, STAMP]
    : null;
const asynchronous = (node: AnyNode & { async: boolean }): [AnyNode, Rule] | null =>
  node.async ? [node, ASYNC] : null;

/** QuickJS reads `get`, a line break and `x() {}` as a field and a method; ECMA-262 reads an accessor. */
const broken = (node: MethodDefinition, text: string): [AnyNode, Rule] | null =>
  (node.kind === "get" || node.kind === "set") && text.slice(node.start, node.key.start).includes("\n")
    ? [node, ACCESSOR]
    : null;

/**
 * The constructs that no policy may have, by kind of node: those that wait, load code or read anything outside the
 * decision, and those that QuickJS and acorn parse differently.
 */
const RULES: ByKind<[text: string], [AnyNode, Rule] | null> = {
  AwaitExpression: refused(AWAIT),
  ImportExpression: refused(IMPORT),
  MetaProperty: refused(META),
  DebuggerStatement: refused(DEBUGGER),
  FunctionDeclaration: asynchronous,
  FunctionExpression: asynchronous,
  ArrowFunctionExpression: asynchronous,
  ClassDeclaration: stamping,
  ClassExpression: stamping,
  MethodDefinition: broken,
  ForOfStatement: (node) => (node.await ? [node, FOR_AWAIT] : null),
  CatchClause: ({ param }) => (param && param.type !== "Identifier" ? [param, CATCH_PATTERN] : null),
  ExpressionStatement: (node) =>
    "directive" in node && node.directive !== undefined && node.directive !== "use strict" ? [node, DIRECTIVE] : null,
  Identifier: (node) => (node.name === "eval" ? [node, EVAL] : null),
};

/** Throws POLICY_FORBIDDEN with the place of the first forbidden construct. */
export function refuseForbidden(source: Source): void {
  for (const node of source.nodes) {
    const found = entryFor(RULES, node)?.(node, source.text) ?? null;
    if (found !== null) throw forbidden(source, found[0], found[1].message, found[1].remedy);
  }
  const leaving = source.text.includes("finally") ? source.walked(leavesFinally) : null;
  if (leaving !== null) throw forbidden(source, leaving, FINALLY.message, FINALLY.remedy);
  rejectArguments(source);
}

/** Rejects `arguments` outside a function: it would be that of the linker's function. */
function rejectArguments(source: Source): void {
  const named = source.nodes.filter((node) => node.type === "Identifier" && node.name === "arguments");
  if (named.length === 0) return;
  const functions = source.nodes
    .filter(({ type }) => type === "FunctionDeclaration" || type === "FunctionExpression")
    .sort((left, right) => left.start - right.start);
  let [next, end] = [0, 0];
  for (const node of named.sort((left, right) => left.start - right.start)) {
    // Functions are nested, so the largest end of the functions that start before the node shows whether one encloses
    // it.
    for (; next < functions.length && functions[next]!.start <= node.start; next++)
      end = Math.max(end, functions[next]!.end);
    if (node.end > end) throw forbidden(source, node, ARGUMENTS.message, ARGUMENTS.remedy);
  }
}
