import type { AnyNode, Literal } from "acorn";
import { isFacts } from "../../../policy/model/fact-kinds.js";
import { configuredArgument } from "../../../policy/model/guest.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

/** Facts that are lower-case hex, with their number of digits. */
const HEX: Readonly<Record<string, number>> = { digest: 64, tag: 16, sha256: 64, key_id: 64, contents: 64 };
const HASHES: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** The number of hex digits of a fact or of the result of `hash`; null for anything else. */
function digitsOf(file: PolicyFile, node: AnyNode): number | null {
  if (node.type === "CallExpression" && file.helperOf(node) === "hash") {
    const [algorithm] = node.arguments;
    return algorithm?.type === "Literal" ? (HASHES[String(algorithm.value)] ?? null) : null;
  }
  const value = node.type === "Identifier" ? file.constantValue(node) : node;
  if (value === null || value.type !== "MemberExpression") return null;
  const kind = file.flow.kindOf(value.object);
  const name = staticName(value.property, value.computed) ?? "";
  return kind !== null && isFacts(kind) && Object.hasOwn(HEX, name) ? HEX[name]! : null;
}

/** The texts that an expression is compared with: a literal, or those of a list. */
function* textsOf(file: PolicyFile, node: AnyNode): Iterable<Literal> {
  const made = node.type === "Identifier" ? file.constantValue(node) : node;
  if (made?.type === "Literal") yield made;
  const list = made?.type === "NewExpression" ? made.arguments[0] : made;
  if (list?.type === "ArrayExpression")
    for (const element of list.elements) if (element?.type === "Literal") yield element;
}

/** Pairs of a value and the texts that it is compared with or searched in. */
function* compared(file: PolicyFile): Iterable<readonly [value: AnyNode, text: Literal]> {
  for (const { operator, left, right } of file.nodes("BinaryExpression")) {
    if (!/^[!=]==?$/.test(operator)) continue;
    if (right.type === "Literal") yield [left, right];
    if (left.type === "Literal") yield [right, left];
  }
  for (const { discriminant, cases } of file.nodes("SwitchStatement"))
    for (const { test } of cases) if (test?.type === "Literal") yield [discriminant, test];
  for (const { callee, arguments: given } of file.nodes("CallExpression"))
    if (callee.type === "MemberExpression" && given.length === 1 && isSearch(callee))
      for (const text of textsOf(file, callee.object)) yield [given[0]!, text];
}

function isSearch(callee: AnyNode & { type: "MemberExpression" }): boolean {
  return /^(?:includes|has|indexOf)$/.test(staticName(callee.property, callee.computed) ?? "");
}

export const DIGEST_SPELLING: Rule = {
  code: "LINT_DIGEST_SPELLING",
  severity: "error",
  summary: 'a digest compared with text that is not lower-case hex of its length: `prog.digest === "5F1D…"`',
  consequence: "The comparison is always false.",
  *check(file) {
    const seen = new Set<Literal>();
    for (const [value, text] of compared(file)) {
      const digits = typeof text.value === "string" && !seen.has(text) ? digitsOf(file, value) : null;
      if (digits === null || new RegExp(`^[0-9a-f]{${digits}}$`).test(text.value as string)) continue;
      seen.add(text);
      const isUpper = new RegExp(`^[0-9a-fA-F]{${digits}}$`).test(text.value as string);
      const why = isUpper ? "has upper-case letters" : `is not ${digits} hex digits`;
      const message = `${file.quote(value)} is ${digits} lower-case hex digits, and this text ${why}: never equal`;
      yield {
        node: text,
        message,
        remedy: isUpper ? "write it in lower case" : "copy the digest from `countersign inspect`",
      };
    }
  },
};

/** Facts that the task itself or whoever starts its container chooses. */
const CLAIMS: ReadonlySet<string> = new Set(["comm", "exe", "name", "labels", "annotations"]);

export const COMPUTED_NAME: Rule = {
  code: "LINT_COMPUTED_NAME",
  severity: "warning",
  summary: 'a keyring or map named by a computed string: `verify_program(prog, "team-" + team)`',
  consequence: "Whether the name exists is only known at a decision, and who chooses the text chooses whom to trust.",
  *check(file) {
    for (const { node, helper } of file.helperCalls) {
      const wanted = configuredArgument(helper);
      const { arguments: given } = node;
      const name = given[given.length === 2 ? (wanted?.ofTwo ?? wanted?.argument ?? -1) : (wanted?.argument ?? -1)];
      if (wanted === null || name === undefined || !isComputed(file, name)) continue;
      const message =
        `the ${wanted.kind} is named by a computed text: a name that is not configured is a fault at the decision, ` +
        "and whoever chooses the text chooses the name";
      yield { node: name, message, remedy: `choose between literal names: \`tier === "prod" ? "prod" : "dev"\`` };
    }
  },
};

function isComputed(file: PolicyFile, node: AnyNode, depth = 0): boolean {
  switch (node.type) {
    case "TemplateLiteral":
      return node.expressions.some((one) => !file.values.isOnly(one, "number") && !isFixedText(file, one));
    case "BinaryExpression":
      return node.operator === "+" && !(isFixedText(file, node.left) && isFixedText(file, node.right));
    case "LogicalExpression":
      return isComputed(file, node.left, depth) || isComputed(file, node.right, depth);
    case "ConditionalExpression":
      return isComputed(file, node.consequent, depth) || isComputed(file, node.alternate, depth);
    case "ChainExpression":
      return isComputed(file, node.expression, depth);
    case "MemberExpression":
      return isClaim(file, node);
    case "CallExpression":
      return node.callee.type === "MemberExpression" && !isHelperOfMap(file, node);
    case "Identifier": {
      const value = depth < 20 ? file.constantValue(node) : null;
      return value !== null && isComputed(file, value, depth + 1);
    }
    default:
      return false;
  }
}

function isHelperOfMap(file: PolicyFile, node: AnyNode): boolean {
  return file.helperOf(node) !== null;
}

function isFixedText(file: PolicyFile, node: AnyNode): boolean {
  if (node.type === "Literal") return true;
  return node.type === "Identifier" && file.constantValue(node)?.type === "Literal";
}

function isClaim(file: PolicyFile, node: AnyNode & { type: "MemberExpression" }): boolean {
  const { object } = node;
  if (object.type === "MemberExpression") {
    const record = staticName(object.property, object.computed) ?? "";
    if (file.flow.kindOf(object.object) === "Container" && CLAIMS.has(record)) return true;
  }
  const kind = file.flow.kindOf(object);
  const isTask = kind === "Current" || kind === "Container" || kind === "Program";
  return isTask && CLAIMS.has(staticName(node.property, node.computed) ?? "");
}
