import type { AnyNode, CallExpression } from "acorn";
import { fixedText } from "./fixed-text.js";
import type { PolicyFile } from "./policy-file.js";

/** The helper whose answer 0 says that another helper's answer is not null, by the number of its arguments. */
const VERIFIES: Readonly<Record<string, string>> = {
  "statement_of 2": "verify_program",
  "signer_of 2": "verify_program",
  "signer_of 4": "verify_signature",
};

/**
 * Whether the answer of `statement_of` or `signer_of` cannot be null where an expression reads it: control flow gets
 * there only if the verification with the same arguments is 0. `read` is the call, or a constant with its answer.
 */
export function isVerified(file: PolicyFile, read: AnyNode): boolean {
  const call = read.type === "Identifier" ? file.constantValue(read) : read;
  if (call?.type !== "CallExpression") return false;
  const verifying = VERIFIES[`${file.helperOf(call)} ${call.arguments.length}`];
  const texts = textsOf(file, call);
  if (verifying === undefined || texts === null) return false;
  const isVerification = (node: AnyNode): boolean =>
    node.type === "CallExpression" && file.helperOf(node) === verifying && textsOf(file, node) === texts;
  return conditionsAt(file, read).some(([test, is]) => implies(file, test, is, isVerification));
}

/** The texts of a call's arguments, if each has the same value wherever it is evaluated; otherwise null. */
function textsOf(file: PolicyFile, { arguments: given }: CallExpression): string | null {
  const texts = given.map((argument) => fixedText(file, argument));
  return texts.includes(null) ? null : texts.join();
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

/** Whether a condition that is true (or, without `is`, false) says that a verification is 0. */
function implies(file: PolicyFile, test: AnyNode, is: boolean, isVerification: (node: AnyNode) => boolean): boolean {
  const also = (node: AnyNode, truth = is) => implies(file, node, truth, isVerification);
  switch (test.type) {
    case "CallExpression":
      return !is && isVerification(test);
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
    case "BinaryExpression": {
      const zero = ZERO_IF[test.operator];
      const verified = isZero(test.right)
        ? test.left
        : isZero(test.left) && MIRRORED.has(test.operator)
          ? test.right
          : null;
      if (zero === undefined || zero !== is || verified === null) return false;
      const value = verified.type === "Identifier" ? file.constantValue(verified) : verified;
      return value !== null && isVerification(value);
    }
    default:
      return false;
  }
}

/** Which result of a comparison with 0 says that a verdict, which is never above 0, is 0. */
const ZERO_IF: Readonly<Record<string, boolean>> = {
  "==": true,
  "===": true,
  ">=": true,
  "!=": false,
  "!==": false,
  "<": false,
};
/** Operators that mean the same with 0 on their left. */
const MIRRORED: ReadonlySet<string> = new Set(["==", "===", "!=", "!=="]);

function isZero(node: AnyNode): boolean {
  return node.type === "Literal" && node.value === 0;
}
