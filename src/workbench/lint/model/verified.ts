import type { AnyNode, CallExpression } from "acorn";
import { holdsAt } from "./control-flow.js";
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
  return holdsAt(file, read, (node, is) => saysVerified(file, node, is, isVerification));
}

/** The texts of a call's arguments, if each has the same value wherever it is evaluated; otherwise null. */
function textsOf(file: PolicyFile, { arguments: given }: CallExpression): string | null {
  const texts = given.map((argument) => fixedText(file, argument));
  return texts.includes(null) ? null : texts.join();
}

/** Whether an expression that is true (or, without `is`, false) says that a verification is 0. */
function saysVerified(
  file: PolicyFile,
  node: AnyNode,
  is: boolean,
  isVerification: (node: AnyNode) => boolean,
): boolean {
  if (node.type === "CallExpression") return !is && isVerification(node);
  if (node.type !== "BinaryExpression") return false;
  const zero = ZERO_IF[node.operator];
  const verified = isZero(node.right)
    ? node.left
    : isZero(node.left) && MIRRORED.has(node.operator)
      ? node.right
      : null;
  if (zero === undefined || zero !== is || verified === null) return false;
  const value = verified.type === "Identifier" ? file.constantValue(verified) : verified;
  return value !== null && isVerification(value);
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
