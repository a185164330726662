import type {
  AnyNode,
  ForInStatement,
  ForOfStatement,
  ForStatement,
  Identifier,
  ImportDeclaration,
  VariableDeclaration,
} from "acorn";
import { GUEST_FUNCTIONS, GUEST_MODULE } from "../../policy/model/guest.js";
import type { ByKind } from "../../policy/syntax/nodes.js";
import { accumulatorsOf } from "./accumulation.js";
import { functionText } from "./functions.js";
import { declarators } from "./patterns.js";
import { boundNames } from "./regions.js";
import type { Writer } from "./writer.js";

/** How each statement is written; a missing one is not decided. */
export const STATEMENTS: ByKind<[Writer], string> = {
  EmptyStatement: () => ";",
  BlockStatement: ({ body }, to) => `{${to.statements(body)}}`,
  ExpressionStatement: ({ expression, ...node }, to) =>
    "directive" in node && node.directive !== undefined ? ";" : `(${to.expression(expression)});`,
  IfStatement({ test, consequent, alternate }, to) {
    const otherwise = alternate ? `else{${to.statement(alternate)}}` : "";
    return `if(${to.test(test)}){${to.statement(consequent)}}${otherwise}`;
  },
  LabeledStatement: ({ label, body }, to) => `${label.name}:${to.statement(body)}`,
  BreakStatement: ({ label }) => `break${label ? ` ${label.name}` : ""};`,
  ContinueStatement: ({ label }) => `continue${label ? ` ${label.name}` : ""};`,
  SwitchStatement({ discriminant, cases }, to) {
    const value = to.temporary();
    const written = cases.map(({ test, consequent }) => {
      const begin = test ? `case ${to.call("binary", test, '"==="', value, to.expression(test))}:` : "default:";
      return `${begin}${to.statements(consequent)}`;
    });
    // The cases are evaluated in order, and the first that is true is taken, as in the original
    const declared = `const ${value}=${to.expression(discriminant)};`;
    return `{${declared}switch(true){${written.join("\n")}}}`;
  },
  ReturnStatement: (node, to) =>
    `return ${to.call("returned", node, node.argument ? to.expression(node.argument) : "void 0")};`,
  ThrowStatement: (node, to) => `throw ${to.expression(node.argument)};`,
  TryStatement({ block, handler, finalizer }, to) {
    const error = handler?.param ? (handler.param as Identifier).name : to.temporary();
    let text = `try{${to.statements(block.body)}}`;
    // The explorer looks at each error, also where the policy does not catch it but runs a `finally` block
    if (!handler) text += `catch(${error}){throw ${to.call("caught", block, error)};}`;
    else text += `catch(${error}){${to.call("caught", handler, error)};{${to.statements(handler.body.body)}}}`;
    return finalizer ? `${text}finally{${to.statements(finalizer.body)}}` : text;
  },
  WhileStatement: ({ test, body }, to) => `while(${to.test(test)}){${to.statement(body)}}`,
  DoWhileStatement: ({ test, body }, to) => `do{${to.statement(body)}}while(${to.test(test)});`,
  ForStatement: (node, to) => forText(node, to),
  ForOfStatement: (node, to) => forOfText(node, "each", to),
  ForInStatement: (node, to) => forOfText(node, "keys", to),
  FunctionDeclaration: (node, to) => functionText(node, to),
  VariableDeclaration: (node, to) => `${declaration(node, to)};`,
  ImportDeclaration: (node, to) => imports(node, to),
  ExportNamedDeclaration({ declaration: declared, specifiers, source }, to) {
    if (declared) return `export ${to.statement(declared)}`;
    const names = specifiers.map(({ local, exported }) => `${identifierOf(local)} as ${identifierOf(exported)}`);
    return `export{${names.join()}}${source ? `from ${JSON.stringify(to.file(String(source.value)))}` : ""};`;
  },
  ExportDefaultDeclaration({ declaration: declared }, to) {
    if (declared.type === "FunctionDeclaration" && declared.id) return `export default ${to.statement(declared)}`;
    if (declared.type === "FunctionDeclaration") return `export default (${functionText(declared as never, to)});`;
    if (declared.type === "ClassDeclaration") return `export default ${to.notDecided(declared)};`;
    return `export default (${to.expression(declared)});`;
  },
  ExportAllDeclaration: ({ exported, source }, to) =>
    `export *${exported ? ` as ${identifierOf(exported)}` : ""} from ${JSON.stringify(to.file(String(source.value)))};`,
};

/** Functions of the virtual module are those of the explorer, whose names there begin with `guest_`. */
function imports({ specifiers, source }: ImportDeclaration, to: Writer): string {
  const isGuest = source.value === GUEST_MODULE;
  if (specifiers.length === 0 && isGuest) return ";";
  const own = JSON.stringify(isGuest ? to.explorer : to.file(String(source.value)));
  if (specifiers.length === 0) return `import ${own};`;
  const each = specifiers.map((one) => {
    const local = one.local.name;
    if (one.type === "ImportNamespaceSpecifier")
      return isGuest ? `const ${local}=${to.prefix}.guestNamespace();` : `import * as ${local} from ${own};`;
    const imported = one.type === "ImportDefaultSpecifier" ? "default" : identifierOf(one.imported);
    if (!isGuest) return `import {${imported} as ${local}} from ${own};`;
    if (Object.hasOwn(GUEST_FUNCTIONS, imported)) return `import {guest_${imported} as ${local}} from ${own};`;
    return `import {${imported} as ${local}} from ${JSON.stringify(GUEST_MODULE)};`;
  });
  return each.join("");
}

function identifierOf(node: AnyNode): string {
  return node.type === "Identifier" ? node.name : JSON.stringify((node as { value?: unknown }).value);
}

function declaration({ kind, declarations }: VariableDeclaration, to: Writer): string {
  const parts = declarations.flatMap(({ id, init }) => {
    if (init === null || init === undefined) return [id.type === "Identifier" ? id.name : ""];
    // The variables of `var` outlast the body of a loop
    const names = kind === "var" ? boundNames(id) : [];
    const outlasting = names.map((name) => `${to.temporary()}=${to.assigned(name, "null")}`);
    if (id.type === "Identifier") return [`${id.name}=${to.expression(init)}`, ...outlasting];
    return [...declarators(id, to.expression(init), to), ...outlasting];
  });
  return `${kind} ${parts.join()}`;
}

function forText({ init, test, update, body }: ForStatement, to: Writer): string {
  const begin = !init ? "" : init.type === "VariableDeclaration" ? declaration(init, to) : to.expression(init);
  return `for(${begin};${test ? to.test(test) : ""};${update ? to.expression(update) : ""}){${to.statement(body)}}`;
}

function forOfText(node: ForOfStatement | ForInStatement, over: "each" | "keys", to: Writer): string {
  const { left, right, body } = node;
  if (left.type !== "VariableDeclaration" || left.kind === "var")
    return `${to.notDecided(left, "a loop that assigns")};`;
  if (to.loopsOverItself(left, right)) return `${to.notDecided(right, "a loop over its own variable")};`;
  const element = to.temporary();
  const pattern = left.declarations[0]!.id;
  const names = node.type === "ForOfStatement" ? accumulatorsOf(node) : [];
  const inner = to.accumulating(names, () =>
    to.region([pattern], [body], () => {
      const parts = declarators(pattern, element, to);
      return `${left.kind} ${parts.join()};{${to.statement(body)}}`;
    }),
  );
  const value = to.expression(right);
  if (names.length === 0) return `for(const ${element} of ${to.call(over, right, value)}){${inner}}`;
  const held = to.temporary();
  const assigned = names.map((name, index) => `${name}=${held}[${index}];`);
  const variables = [`()=>[${names.join()}]`, `(${held})=>{${assigned.join("")}}`];
  return `for(const ${element} of ${to.call("accumulating", right, value, ...variables)}){${inner}}`;
}
