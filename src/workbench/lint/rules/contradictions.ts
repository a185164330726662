import type { AnyNode } from "acorn";
import { fixedText } from "../model/fixed-text.js";
import { operandsOf, type PolicyFile, testOf } from "../model/policy-file.js";
import type { Complaint, Rule } from "../model/rule.js";

/** Conditions that are false from some statement on, each with its line. */
type False = Map<string, number>;

export const SHADOWED_RULE: Rule = {
  code: "LINT_SHADOWED_RULE",
  severity: "error",
  summary: "a rule that an earlier one shadows: the same condition has left the function before",
  consequence: "The later rule never applies.",
  *check(file) {
    const lists = [
      ...file.nodes("BlockStatement").map(({ body }) => body as readonly AnyNode[]),
      ...file.nodes("SwitchStatement").flatMap(({ cases }) => cases.map(({ consequent }) => consequent)),
    ];
    const isChained = new Set(file.nodes("IfStatement").map(({ alternate }) => alternate));
    for (const statements of lists) {
      const known: False = new Map();
      for (const statement of statements) yield* follow(file, statement, known);
    }
    // Chains of `else if` that are in no list, such as one that is the body of an arrow function's `if`.
    for (const node of file.nodes("IfStatement"))
      if (
        !isChained.has(node) &&
        file.parent(node)?.type !== "BlockStatement" &&
        file.parent(node)?.type !== "SwitchCase"
      )
        yield* follow(file, node, new Map());
  },
};

function* follow(file: PolicyFile, statement: AnyNode, known: False): Iterable<Complaint> {
  const later: False = new Map();
  let at: AnyNode | null = statement;
  const chain = new Map(known);
  while (at?.type === "IfStatement") {
    const line = shadowing(file, at.test, chain);
    if (line !== null) yield shadowed(file, at.test, line);
    const isLeaving = !file.completion.completes(at.consequent);
    const { line: own } = file.unit.source.lines.positionAt(at.test.start);
    for (const operand of operandsOf(at.test, "||")) {
      const text = fixedText(file, operand);
      if (text === null) continue;
      if (!chain.has(text)) chain.set(text, own);
      if (isLeaving && !later.has(text)) later.set(text, own);
    }
    at = at.alternate ?? null;
  }
  for (const value of valuesOf(statement)) {
    const test = testOf(value);
    const line = test === null ? null : shadowing(file, test, known);
    if (line !== null) yield shadowed(file, test!, line);
  }
  for (const [text, line] of later) if (!known.has(text)) known.set(text, line);
}

/** Conditional expressions that are a statement's own value. */
function valuesOf(statement: AnyNode): AnyNode[] {
  if (statement.type === "ReturnStatement") return statement.argument ? [statement.argument] : [];
  return statement.type === "VariableDeclaration" ? statement.declarations.flatMap(({ init }) => init ?? []) : [];
}

/** The line of the rule because of which a condition is always false; null if there is none. */
function shadowing(file: PolicyFile, test: AnyNode, known: ReadonlyMap<string, number>): number | null {
  if (known.size === 0) return null;
  let found: number | null = null;
  for (const operand of operandsOf(test, "||")) {
    const lines = operandsOf(operand, "&&").map((one) => known.get(fixedText(file, one) ?? "") ?? null);
    const whole = known.get(fixedText(file, operand) ?? "") ?? null;
    const line = whole ?? lines.find((one) => one !== null) ?? null;
    if (line === null) return null;
    found ??= line;
  }
  return found;
}

function shadowed(file: PolicyFile, test: AnyNode, line: number): Complaint {
  const message = `${file.quote(test)} is never true here: the rule on line ${line} has dealt with it`;
  return { node: test, message, remedy: "remove this rule, or put it before the other one" };
}

const EQUAL = /^={2,3}$/;
const UNEQUAL = /^!={1,2}$/;

export const CONTRADICTION: Rule = {
  code: "LINT_CONTRADICTION",
  severity: "error",
  summary: 'comparisons that contradict each other: `type === "xdp" && type === "tc"`',
  consequence: "The condition is always false, or always true.",
  *check(file) {
    for (const node of file.nodes("LogicalExpression")) {
      const parent = file.parent(node);
      if (node.operator === "??" || (parent?.type === "LogicalExpression" && parent.operator === node.operator))
        continue;
      const isAnd = node.operator === "&&";
      const values = new Map<string, string>();
      for (const operand of operandsOf(node, node.operator)) {
        const compared = comparisonOf(file, operand, isAnd ? EQUAL : UNEQUAL);
        if (compared === null) continue;
        const before = values.get(compared.text);
        values.set(compared.text, compared.value);
        if (before === undefined || before === compared.value) continue;
        const both = `${before} and ${compared.value}`;
        const message = `\`${compared.text}\` cannot be both ${both}, so this is always ${!isAnd}`;
        yield { node: operand, message, remedy: isAnd ? "write `||` for either value" : "write `&&` to exclude both" };
        break;
      }
    }
  },
};

/** The expression and the literal that a comparison compares. */
function comparisonOf(file: PolicyFile, node: AnyNode, operator: RegExp): { text: string; value: string } | null {
  if (node.type !== "BinaryExpression" || !operator.test(node.operator)) return null;
  const [fact, literal] = node.right.type === "Literal" ? [node.left, node.right] : [node.right, node.left];
  if (literal.type !== "Literal" || fact.type === "Literal" || ("regex" in literal && literal.regex)) return null;
  // `null == undefined`, and `"1" == 1`: only strict operators compare literals as they are written.
  if (node.operator.length < 3) return null;
  const text = fixedText(file, fact);
  return text === null ? null : { text, value: JSON.stringify(literal.value) ?? String(literal.value) };
}

export const SELF_COMPARISON: Rule = {
  code: "LINT_SELF_COMPARISON",
  severity: "error",
  summary: "a value that is compared with itself",
  consequence: "The comparison always has the same result.",
  *check(file) {
    for (const node of file.nodes("BinaryExpression")) {
      if (!/^(?:[!=]==?|[<>]=?)$/.test(node.operator) || node.left.type === "Literal") continue;
      const text = fixedText(file, node.left);
      if (text === null || text !== fixedText(file, node.right)) continue;
      const message = `compares ${file.quote(node.left)} with itself`;
      yield { node, message, remedy: "compare it with the value that is meant" };
    }
  },
};
