import type { AnyNode, Literal } from "acorn";
import { didYouMean } from "../../../nearest.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { PolicyFile } from "../model/policy-file.js";
import type { Rule } from "../model/rule.js";
import { isNumber, type Kinds } from "../model/values.js";

interface Comparison {
  readonly node: AnyNode;
  readonly operator: string;
  readonly left: AnyNode;
  readonly right: AnyNode;
}

/** The comparisons of a file, with those of each `case`. */
function* comparisonsOf(file: PolicyFile): Iterable<Comparison> {
  for (const node of file.nodes("BinaryExpression"))
    if (/^(?:[!=]==?|[<>]=?)$/.test(node.operator) && node.left.type !== "PrivateIdentifier")
      yield { node, operator: node.operator, left: node.left, right: node.right };
  for (const { discriminant, cases } of file.nodes("SwitchStatement"))
    for (const { test } of cases) if (test) yield { node: test, operator: "===", left: discriminant, right: test };
}

/** The types by which `===` tells values apart. */
function typesOf(kinds: Kinds): ReadonlySet<string> | null {
  if (kinds.has("unknown") || kinds.size === 0) return null;
  return new Set([...kinds].map((kind) => (isNumber(kind) ? "number" : kind)));
}

const named = (types: ReadonlySet<string>) => [...types].sort().join(" or ");

export const TYPE_MISMATCH: Rule = {
  code: "LINT_TYPE_MISMATCH",
  severity: "error",
  summary: 'a comparison with a value of another type: `current.uid === "0"`, `verify_program(…) === true`',
  consequence: "The comparison is always false, or with `!==` always true.",
  *check(file) {
    for (const { node, operator, left, right } of comparisonsOf(file)) {
      if (operator !== "===" && operator !== "!==") continue;
      // LINT_NEGATED_OPERAND reports `!a === b`.
      if (left.type === "UnaryExpression" && left.operator === "!") continue;
      const [a, b] = [typesOf(file.values.of(left)), typesOf(file.values.of(right))];
      if (a === null || b === null || [...a].some((type) => b.has(type))) continue;
      const result = operator === "===" ? "never equal" : "always unequal";
      const message = `${file.quote(left)} (${named(a)}) and ${file.quote(right)} (${named(b)}) are ${result}`;
      yield { node, message, remedy: "compare with a value of the same type" };
    }
    for (const node of file.nodes("CallExpression")) {
      const { callee, arguments: given } = node;
      if (callee.type !== "MemberExpression" || callee.property.type !== "Identifier") continue;
      if (callee.property.name !== "includes" || given.length !== 1) continue;
      const elements = elementTypes(file, callee.object);
      const sought = typesOf(file.values.of(given[0]!));
      if (elements === null || sought === null || [...sought].some((type) => elements.has(type))) continue;
      const what = `${file.quote(given[0]!)} is ${named(sought)}`;
      const message = `the list has ${named(elements)}, and ${what}: it is never found`;
      yield { node: given[0]!, message, remedy: "look for a value of the same type" };
    }
  },
};

/** The types of a list's elements. */
function elementTypes(file: PolicyFile, list: AnyNode): ReadonlySet<string> | null {
  const kind = file.flow.kindOf(list);
  if (kind === "string[]" || kind === "number[]") return new Set([kind.slice(0, -2)]);
  if (list.type === "Identifier") {
    const value = file.constantValue(list);
    return value?.type !== "ArrayExpression" || isChanged(file, list) ? null : elementTypes(file, value);
  }
  if (list.type !== "ArrayExpression" || list.elements.length === 0) return null;
  const types = new Set<string>();
  for (const element of list.elements) {
    const of = element === null || element.type === "SpreadElement" ? null : typesOf(file.values.of(element));
    if (of === null) return null;
    for (const type of of) types.add(type);
  }
  return types;
}

/** Whether a list of the policy is used for anything but `includes`, so that its elements can change. */
function isChanged(file: PolicyFile, list: AnyNode): boolean {
  const variable = file.unit.variables.meant(list);
  return file.nodes("Identifier").some((node) => {
    if (file.unit.variables.meant(node) !== variable) return false;
    const parent = file.parent(node);
    return parent?.type !== "MemberExpression" || staticName(parent.property, parent.computed) !== "includes";
  });
}

const NEW_OBJECTS: ReadonlySet<string> = new Set(
  "ArrayExpression ObjectExpression NewExpression FunctionExpression ArrowFunctionExpression".split(" "),
);

export const OBJECT_COMPARISON: Rule = {
  code: "LINT_OBJECT_COMPARISON",
  severity: "error",
  summary: "a comparison with a new object or list: `prog.helpers === []`",
  consequence: "A new object equals nothing else, so the comparison is always false.",
  *check(file) {
    for (const { node, operator, left, right } of comparisonsOf(file)) {
      if (!/^[!=]==?$/.test(operator)) continue;
      const made = [left, right].find((side) => NEW_OBJECTS.has(side.type) || isRegExp(side));
      if (made === undefined) continue;
      if (operator.length < 3 && !file.values.isOnly(made === left ? right : left, "object", "null", "undefined"))
        continue;
      const message = `${file.quote(made)} is a new object, which equals nothing else`;
      yield { node, message, remedy: "compare the length or the elements, such as `prog.helpers.length === 0`" };
    }
  },
};

function isRegExp(node: AnyNode): boolean {
  return node.type === "Literal" && "regex" in node && node.regex !== undefined;
}

const TYPES = "undefined object boolean number bigint string symbol function".split(" ");

export const TYPEOF: Rule = {
  code: "LINT_TYPEOF",
  severity: "error",
  summary: '`typeof` compared with a text that it never is: `typeof uid === "int"`',
  consequence: "The comparison is always false, or with `!==` always true.",
  *check(file) {
    for (const { left, right } of comparisonsOf(file)) {
      const literal = [left, right].find((side): side is Literal => side.type === "Literal");
      const other = literal === left ? right : left;
      if (other.type !== "UnaryExpression" || other.operator !== "typeof" || literal === undefined) continue;
      if (TYPES.includes(String(literal.value))) continue;
      const message = `\`typeof\` is never ${file.quote(literal)}${didYouMean(String(literal.value), TYPES)}`;
      yield { node: literal, message, remedy: `use one of ${TYPES.join(", ")}` };
    }
  },
};

const MIRRORED: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" };

/** A comparison with the side for which `is` holds on its left. */
function oriented(comparison: Comparison, is: (node: AnyNode) => boolean): Comparison | null {
  if (is(comparison.left)) return comparison;
  if (!is(comparison.right)) return null;
  const { node, operator, left, right } = comparison;
  return { node, operator: MIRRORED[operator] ?? operator, left: right, right: left };
}

export const ERRNO_SIGN: Rule = {
  code: "LINT_ERRNO_SIGN",
  severity: "error",
  summary: "the result of a verification compared with a positive errno: `verdict === ENODATA`",
  consequence: "Results are 0 or negative, so the comparison is always the same.",
  *check(file) {
    const isVerdict = (node: AnyNode) =>
      node.type !== "Literal" && node.type !== "UnaryExpression" && file.values.isOnly(node, "verdict", "negative");
    for (const comparison of comparisonsOf(file)) {
      const found = oriented(comparison, isVerdict);
      if (found === null) continue;
      const { node, operator, left, right } = found;
      const isBound =
        (operator === ">" && file.values.isOnly(right, "zero")) || operator === "===" || operator === "!==";
      if (operator === ">" ? !isBound : !file.values.isOnly(right, "positive") || !isBound) continue;
      const never = operator === ">" ? "greater than 0" : file.quote(right);
      const message = `${file.quote(left)} is 0 or negative, so it is never ${never}`;
      const remedy = operator === ">" ? "compare with `< 0` or `!== 0`" : `write \`-${file.text(right)}\``;
      yield { node, message, remedy };
    }
  },
};

export const OUT_OF_RANGE: Rule = {
  code: "LINT_OUT_OF_RANGE",
  severity: "error",
  summary: "a number compared with one that it never reaches: `prog.insn_cnt < 0`, `helpers.length >= 0`",
  consequence: "The comparison always has the same result.",
  *check(file) {
    const isCount = (node: AnyNode) =>
      node.type === "MemberExpression" && file.values.isOnly(node, "number") && isFactOrLength(file, node);
    for (const comparison of comparisonsOf(file)) {
      const found = oriented(comparison, isCount);
      if (found === null) continue;
      const { node, operator, left, right } = found;
      const isZero = file.values.isOnly(right, "zero");
      const isNegative = file.values.isOnly(right, "negative");
      if (!(isNegative || (isZero && (operator === "<" || operator === ">=")))) continue;
      const bound = `\`${operator} ${file.text(right)}\``;
      const message = `${file.quote(left)} is never negative, so ${bound} always has the same result`;
      yield { node, message, remedy: "compare with the number that is meant" };
    }
  },
};

function isFactOrLength(file: PolicyFile, node: AnyNode & { type: "MemberExpression" }): boolean {
  return file.flow.kindOf(node) === "number" || staticName(node.property, node.computed) === "length";
}
