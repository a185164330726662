import type { AnyNode } from "acorn";
import { staticName } from "../../../policy/units/property-names.js";
import { CONDITIONAL, type PolicyFile, testOf, truthTests } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";

/** The operands of all conditions of a file that are tested for truth, and of the left sides of `&&` and `||`. */
function* tested(file: PolicyFile): Iterable<AnyNode> {
  const seen = new Set<AnyNode>();
  const conditions = [
    ...file.nodes(...CONDITIONAL).flatMap((node) => testOf(node) ?? []),
    ...file.nodes("LogicalExpression").flatMap(({ operator, left }) => (operator === "??" ? [] : [left])),
    ...file.nodes("UnaryExpression").flatMap(({ operator, argument }) => (operator === "!" ? [argument] : [])),
  ];
  for (const condition of conditions)
    for (const node of truthTests(condition)) {
      if (seen.has(node)) continue;
      seen.add(node);
      yield node;
    }
}

export const ASSIGNMENT_IN_CONDITION: Rule = {
  code: "LINT_ASSIGNMENT_IN_CONDITION",
  severity: "error",
  summary: 'an assignment where a comparison is meant: `if (tier = "edge")`',
  consequence: "The condition is the assigned value, and the variable has changed.",
  *check(file) {
    for (const node of tested(file)) {
      if (node.type !== "AssignmentExpression" || node.operator !== "=" || isParenthesized(file, node)) continue;
      const message = `${file.quote(node)} assigns: the condition is the assigned value, and compares nothing`;
      yield { node, message, remedy: "write `===` to compare, or put the assignment before the condition" };
    }
  },
};

/** Whether parentheses of its own show that an assignment is meant, as in `while ((a = next()))`. */
function isParenthesized(file: PolicyFile, { start, end }: AnyNode): boolean {
  const { text } = file.unit.source;
  return (
    /\(\s*\(\s*$/.test(text.slice(Math.max(0, start - 20), start)) && /^\s*\)\s*\)/.test(text.slice(end, end + 20))
  );
}

const LOOPS: ReadonlySet<string> = new Set(["WhileStatement", "ForStatement", "DoWhileStatement"]);

export const CONSTANT_CONDITION: Rule = {
  code: "LINT_CONSTANT_CONDITION",
  severity: "error",
  summary:
    "a condition that is always true or always false, such as an object or a text on its own: `if (prog.effects)`",
  consequence: "One of the two cases never happens.",
  *check(file) {
    for (const node of tested(file)) {
      if (LOOPS.has(file.parent(node)?.type ?? "")) continue;
      const value = truthOf(file, node);
      if (value === null) continue;
      const message = `${file.quote(node)} is always ${value} here, so this condition decides nothing`;
      const isName = node.type === "Literal" && typeof node.value === "string";
      yield { node, message, remedy: isName ? 'compare each value on its own: `a === "x" || a === "y"`' : REMEDY };
    }
  },
};
const REMEDY = "compare the value, read one of its properties, or call the function";

/** Whether a value is always true or always false as a condition. */
function truthOf(file: PolicyFile, node: AnyNode): boolean | null {
  if (node.type === "Literal") return Boolean(node.value);
  if (node.type === "AssignmentExpression") return null;
  const kinds = [...file.values.of(node)];
  if (kinds.length === 0) return null;
  if (kinds.every((kind) => kind === "object" || kind === "function")) return true;
  return kinds.every((kind) => kind === "null" || kind === "undefined") && node.type === "Identifier" ? false : null;
}

const INDICES: ReadonlySet<string> = new Set(["indexOf", "lastIndexOf", "findIndex", "findLastIndex", "search"]);

export const INDEX_AS_CONDITION: Rule = {
  code: "LINT_INDEX_AS_CONDITION",
  severity: "error",
  summary: 'a position as a condition: `if (prog.helpers.indexOf("bpf_printk"))`',
  consequence: "A position is -1 where nothing is found, which counts as true, and 0 for the first, which is false.",
  *check(file) {
    for (const node of tested(file)) {
      const call = node.type === "ChainExpression" ? node.expression : node;
      if (call.type !== "CallExpression" || call.callee.type !== "MemberExpression") continue;
      const method = staticName(call.callee.property, call.callee.computed) ?? "";
      if (!INDICES.has(method)) continue;
      const message = `\`${method}\` is -1 if nothing is found, which is true, and 0 for the first, which is false`;
      yield { node, message, remedy: "use `includes` or `some`, or compare the position with -1" };
    }
  },
};

const RELATIONS: ReadonlySet<string> = new Set("== != === !== < <= > >= in instanceof".split(" "));

export const NEGATED_OPERAND: Rule = {
  code: "LINT_NEGATED_OPERAND",
  severity: "error",
  summary: '`!` that negates only the left side of a comparison: `!prog.type === "xdp"`',
  consequence: "A boolean is compared instead of the value, so the comparison is always false.",
  *check(file) {
    for (const node of file.nodes("BinaryExpression")) {
      const { left, operator, right } = node;
      if (!RELATIONS.has(operator) || left.type !== "UnaryExpression" || left.operator !== "!") continue;
      if (file.text({ start: node.start, end: left.start }).includes("(")) continue;
      if (!/^(?:in|instanceof|<|<=|>|>=)$/.test(operator) && !isNoBoolean(file, right)) continue;
      const message = `\`!\` negates ${file.quote(left.argument)} alone, before \`${operator}\` compares it`;
      yield { node, message, remedy: `put the comparison in parentheses: \`!(a ${operator} b)\`` };
    }
  },
};

function isNoBoolean(file: PolicyFile, node: AnyNode): boolean {
  const kinds = file.values.of(node);
  return !kinds.has("unknown") && !kinds.has("boolean");
}

export const CHAINED_COMPARISON: Rule = {
  code: "LINT_CHAINED_COMPARISON",
  severity: "error",
  summary: "a chained comparison: `1 < prog.insn_cnt < 4096`",
  consequence: "The second operator compares the result of the first, which is true or false.",
  *check(file) {
    for (const node of file.nodes("BinaryExpression")) {
      const { left, operator } = node;
      if (!/^[<>]=?$/.test(operator) || left.type !== "BinaryExpression" || !/^[<>]=?$/.test(left.operator)) continue;
      const message = `\`${operator}\` compares the result of ${file.quote(left)}, which is true or false`;
      yield { node, message, remedy: "write two comparisons with `&&` between them" };
    }
  },
};
