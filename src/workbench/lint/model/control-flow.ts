import type { AnyNode } from "acorn";
import type { PolicyFile } from "./policy-file.js";

/** Whether an expression that is true (or, without `is`, false) says what is asked. */
export type Atom = (node: AnyNode, is: boolean) => boolean;

/** Whether control flow gets to a node only where an atom holds. */
export function holdsAt(file: PolicyFile, node: AnyNode, atom: Atom): boolean {
  return conditionsAt(file, node).some(([test, is]) => implies(file, test, is, atom));
}

/** Conditions that are known wherever control flow reaches a node: each with whether it is true there. */
function conditionsAt(file: PolicyFile, node: AnyNode): readonly (readonly [test: AnyNode, is: boolean])[] {
  const known: (readonly [AnyNode, boolean])[] = [];
  let inner = node;
  for (const outer of file.around(node)) {
    if (outer.type === "FunctionDeclaration") break; // it can be called before the statements around it
    if (outer.type === "IfStatement" || outer.type === "ConditionalExpression") {
      if (inner !== outer.test) known.push([outer.test, inner === outer.consequent]);
    } else if (outer.type === "LogicalExpression") {
      if (inner === outer.right && outer.operator !== "??") known.push([outer.left, outer.operator === "&&"]);
    } else if (outer.type === "BlockStatement" || outer.type === "Program" || outer.type === "SwitchCase") {
      const statements: readonly AnyNode[] = outer.type === "SwitchCase" ? outer.consequent : outer.body;
      const before = statements.slice(0, Math.max(0, statements.indexOf(inner)));
      for (const statement of before) if (statement.type === "IfStatement") known.push(...leftBy(file, statement));
    }
    inner = outer;
  }
  return known;
}

/** What is known after an `if` of which one side leaves the block. */
function* leftBy(
  file: PolicyFile,
  { test, consequent, alternate }: AnyNode & { type: "IfStatement" },
): Iterable<readonly [AnyNode, boolean]> {
  if (!file.completion.completes(consequent)) yield [test, false];
  else if (alternate && !file.completion.completes(alternate)) yield [test, true];
}

/** Whether a condition that is true (or, without `is`, false) says that an atom holds. */
function implies(file: PolicyFile, test: AnyNode, is: boolean, atom: Atom): boolean {
  if (atom(test, is)) return true;
  const also = (node: AnyNode, truth = is) => implies(file, node, truth, atom);
  switch (test.type) {
    case "Identifier": {
      const value = file.constantValue(test);
      return value !== null && value.type !== "Identifier" && also(value);
    }
    case "UnaryExpression":
      return test.operator === "!" && also(test.argument, !is);
    case "LogicalExpression": {
      if (test.operator === "??") return false;
      const isEither = (test.operator === "&&") === is;
      return isEither ? also(test.left) || also(test.right) : also(test.left) && also(test.right);
    }
    default:
      return false;
  }
}
