import type { AnyNode } from "acorn";
import { operandsOf, type PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

/** Whether an expression is a verification whose result is used as true or false. */
function isVerification(file: PolicyFile, node: AnyNode): boolean {
  if (node.type === "Identifier") {
    const value = file.constantValue(node);
    return value !== null && value.type !== "Identifier" && isVerification(file, value);
  }
  return file.helperOf(node)?.startsWith("verify_") === true;
}

/** The value that a statement or branch returns from the function at once; null if it does something else. */
function returnedBy(node: AnyNode): AnyNode | null {
  if (node.type === "ReturnStatement") return node.argument ?? null;
  const [first, ...others] = node.type === "BlockStatement" ? node.body : [];
  return first?.type === "ReturnStatement" && others.length === 0 ? (first.argument ?? null) : null;
}

export const INVERTED_VERIFICATION: Rule = {
  code: "LINT_INVERTED_VERIFICATION",
  severity: "error",
  summary: 'a verification that is taken for a boolean: `if (verify_program(prog, "platform")) return 0`',
  consequence: "0 means verified, and is false; an errno means not verified, and is true: what is unsigned is allowed.",
  *check(file) {
    for (const node of file.nodes("IfStatement", "ConditionalExpression")) {
      const result =
        node.type === "IfStatement" ? returnedBy(node.consequent) : isReturned(file, node) ? node.consequent : null;
      if (result === null) continue;
      const allows = file.values.isOnly(result, "zero");
      const denies = file.helperOf(result) === "deny";
      for (const operand of operandsOf(node.test, "&&")) {
        const isNegated = operand.type === "UnaryExpression" && operand.operator === "!";
        const inner = isNegated ? operand.argument : operand;
        if (!isVerification(file, inner) || !(isNegated ? denies : allows)) continue;
        const [when, what] = isNegated ? ["succeeded", "denies"] : ["failed", "allows"];
        const message = `${file.quote(operand)} is true if the verification ${when}, and this ${what} then`;
        yield {
          node: operand,
          message,
          remedy: `compare with 0: \`${file.text(inner)} === 0\` is true if it is verified`,
        };
      }
    }
  },
};

/** Whether a conditional expression is what the function returns. */
function isReturned(file: PolicyFile, node: AnyNode): boolean {
  const parent = file.parent(node);
  return parent?.type === "ReturnStatement" || (parent?.type === "ArrowFunctionExpression" && parent.body === node);
}

export const CATCH_ALLOWS: Rule = {
  code: "LINT_CATCH_ALLOWS",
  severity: "warning",
  summary: "a `catch` that returns 0",
  consequence: "Whatever goes wrong in the `try` block allows the operation.",
  *check(file) {
    for (const node of file.nodes("CatchClause")) {
      const around = file.functionAround(node);
      if (around === null || !file.hooks.has(around)) continue;
      const last = node.body.body.at(-1);
      const result = last === undefined ? null : returnedBy(last);
      if (result === null || !file.values.isOnly(result, "zero")) continue;
      const message = "this `catch` allows: whatever goes wrong in the `try` block lets the operation pass";
      yield { node: last!, message, remedy: "return a denial, or remove the `try`: a fault denies by itself" };
    }
  },
};

/** The conditions under which a hook allows at once. */
function* allowing(file: PolicyFile): Iterable<AnyNode> {
  for (const node of file.nodes("IfStatement")) {
    const result = returnedBy(node.consequent);
    if (result !== null && file.values.isOnly(result, "zero")) yield node.test;
  }
  for (const node of file.nodes("ConditionalExpression"))
    if (isReturned(file, node) && file.values.isOnly(node.consequent, "zero")) yield node.test;
}

export const COMM_ALLOWS: Rule = {
  code: "LINT_COMM_ALLOWS",
  severity: "warning",
  summary: 'a rule that allows because of `comm` alone: `if (current.comm === "bpftrace") return 0`',
  consequence: "Every task can give itself any name (prctl(2), PR_SET_NAME), and then loads what it wants.",
  *check(file) {
    for (const test of allowing(file))
      for (const node of operandsOf(test, "||")) {
        if (node.type !== "BinaryExpression" || !/^===?$/.test(node.operator)) continue;
        const side = [node.left, node.right].find((one) => isComm(file, one));
        if (side === undefined) continue;
        const message = `${file.quote(node)} allows, and every task can give itself this name`;
        yield {
          node,
          message,
          remedy: "ask for something that the task cannot choose as well, such as a signature or a uid",
        };
      }
  },
};

function isComm(file: PolicyFile, node: AnyNode): boolean {
  if (node.type === "Identifier" && file.isWrittenOnce(node)) {
    const [value] = file.unit.variables.meant(node)!.values;
    if (value === undefined) return false;
    if ("expression" in value) return value.expression.type === "MemberExpression" && isComm(file, value.expression);
    return "object" in value && value.key === "comm" && file.flow.kindOf(node) === "string";
  }
  if (node.type !== "MemberExpression" || node.property.type !== "Identifier") return false;
  return node.property.name === "comm" && !node.computed && file.flow.kindOf(node.object) === "Current";
}
