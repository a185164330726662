import type { AnyNode, Expression, ForOfStatement, Pattern } from "acorn";
import { declarators } from "./patterns.js";
import { boundNames } from "./regions.js";
import type { Writer } from "./writer.js";

/**
 * The variable to which a loop adds numbers: each statement of the body assigns to it by `=`, `+=`, `-=`, `++` or `--`,
 * or declares a constant or a variable of the body. Null for any other loop.
 */
export function accumulatorOf({ left, body }: ForOfStatement): string | null {
  const statements = statementsOf(body);
  const declared = [left, ...statements].flatMap(namesDeclaredIn);
  const names = new Set<string | null>();
  for (const node of statements)
    if (node.type === "ExpressionStatement") names.add(assignedIn(node.expression));
    else if (node.type !== "VariableDeclaration" || node.kind === "var") return null;
  const [name = null] = names;
  return names.size === 1 && name !== null && !declared.includes(name) ? name : null;
}

/**
 * A function that executes the body of such a loop for an element, with a value of the variable, and returns the next
 * value. It assigns to the variable itself: functions that the body calls may read it.
 */
export function accumulation(name: string, pattern: Pattern, { body }: ForOfStatement, to: Writer): string {
  const [before, element] = [to.temporary(), to.temporary()];
  const inner = to.region([pattern], [body], () => {
    const each = statementsOf(body).map((node) => {
      return node.type === "ExpressionStatement" ? `${name}=${next(name, node.expression, to)};` : to.statement(node);
    });
    return `const ${declarators(pattern, element, to).join()};{${each.join("\n")}}`;
  });
  return `(${before},${element})=>{${name}=${before};${inner}return ${name};}`;
}

function statementsOf(body: AnyNode): readonly AnyNode[] {
  return body.type === "BlockStatement" ? body.body : [body];
}

function namesDeclaredIn(node: AnyNode): readonly string[] {
  return node.type === "VariableDeclaration" ? node.declarations.flatMap(({ id }) => boundNames(id)) : [];
}

/** The operators of assignments that add; `=` gives a sum or an extreme of which the variable itself is a part. */
const OPERATORS: Readonly<Record<string, string | null>> = { "=": null, "+=": "+", "-=": "-" };

function assignedIn(node: Expression): string | null {
  if (node.type === "UpdateExpression") return node.argument.type === "Identifier" ? node.argument.name : null;
  if (node.type !== "AssignmentExpression" || !Object.hasOwn(OPERATORS, node.operator)) return null;
  return node.left.type === "Identifier" && mayBeSum(node.right, node.operator) ? node.left.name : null;
}

/** What has another form is explored as any loop: then it is decided what the policy does for an empty list. */
function mayBeSum({ type }: Expression, operator: string): boolean {
  if (operator === "=") return type === "BinaryExpression" || type === "CallExpression";
  return type !== "ConditionalExpression" && type !== "LogicalExpression";
}

/** The value that the variable gets by an assignment. */
function next(name: string, node: Expression, to: Writer): string {
  if (node.type === "UpdateExpression")
    return to.call("binary", node, JSON.stringify(node.operator[0]), to.call("numeric", node, name), "1");
  if (node.type !== "AssignmentExpression") return to.notDecided(node);
  const operator = OPERATORS[node.operator];
  const value = to.expression(node.right);
  return typeof operator === "string" ? to.call("binary", node, JSON.stringify(operator), name, value) : value;
}
