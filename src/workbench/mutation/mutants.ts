import type { AnyNode } from "acorn";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { type ByKind, entryFor } from "../../policy/syntax/nodes.js";
import { placeIn, readSource, type Source } from "../../policy/syntax/source.js";

/** A change of one file of a policy. */
export interface Mutant {
  /** `file:line:column`. */
  readonly place: string;
  /** The text that is changed, and what it becomes, each as one line. */
  readonly from: string;
  readonly to: string;
  /** The whole text of the changed file. */
  readonly text: string;
}

/** A replacement of a part of the node `of`, which is shown. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly of: AnyNode;
}

/**
 * The mutants of a file, in the order of its text: changed operators, conditions, constants and return values, and
 * removed statements. Types of TypeScript stay as they are. Throws what reading the file as a policy throws.
 */
export function mutantsOf(file: string, text: string): readonly Mutant[] {
  const time = new LinkTime(file);
  time.grant(text.length);
  const source = readSource(file, text, time);
  const written = text.replace(/\r\n?/g, "\n");
  const imported = new Set(source.nodes.flatMap((node) => (node.type === "ImportDeclaration" ? [node.source] : [])));
  const changes = source.nodes.flatMap((node) =>
    imported.has(node as never) ? [] : (entryFor(MUTATORS, node)?.(node, source) ?? []),
  );
  const mutants = new Map<string, { readonly at: number; readonly mutant: Mutant }>();
  for (const { start, end, text: replacement, of } of changes) {
    const mutated = written.slice(0, start) + replacement + written.slice(end);
    if (mutated === written || mutants.has(mutated)) continue;
    const to = written.slice(of.start, start) + replacement + written.slice(end, of.end);
    const place = placeIn(source, of);
    const mutant = { place, from: line(written.slice(of.start, of.end)), to: line(to), text: mutated };
    mutants.set(mutated, { at: start, mutant });
  }
  return [...mutants.values()].sort((left, right) => left.at - right.at).map(({ mutant }) => mutant);
}

/** Text as one line. */
function line(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat === "" || flat === ";" ? "(removed)" : flat;
}

/** What each operator becomes. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  "===": ["!=="],
  "!==": ["==="],
  "==": ["!="],
  "!=": ["=="],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "&": ["|"],
  "|": ["&"],
  "^": ["&"],
  "<<": [">>"],
  ">>": ["<<"],
  ">>>": ["<<"],
  "&&": ["||"],
  "||": ["&&"],
  "??": ["&&"],
  "++": ["--"],
  "--": ["++"],
  "+=": ["-="],
  "-=": ["+="],
  "*=": ["/="],
  "&&=": ["="],
  "||=": ["="],
  "??=": ["="],
};

/** Names of methods whose opposite takes the same arguments. */
const METHODS: Readonly<Record<string, string>> = {
  some: "every",
  every: "some",
  startsWith: "endsWith",
  endsWith: "startsWith",
};

const whole = (node: AnyNode, ...texts: readonly string[]): Change[] =>
  texts.map((text) => ({ start: node.start, end: node.end, text, of: node }));

/** Changes the operator between two operands. */
function between(node: AnyNode & { operator: string }, left: AnyNode, right: AnyNode, { text }: Source): Change[] {
  const start = text.indexOf(node.operator, left.end);
  // A comment between the operands can contain the operator; then the place is not certain
  if (start === -1 || text.slice(left.end, right.start).includes("/*")) return [];
  const end = start + node.operator.length;
  return (OPERATORS[node.operator] ?? []).map((operator) => ({ start, end, text: operator, of: node }));
}

const condition = ({ test }: { readonly test?: AnyNode | null | undefined }): Change[] =>
  test ? whole(test, "true", "false") : [];

const removed = (node: AnyNode): Change[] => whole(node, ";");

const MUTATORS: ByKind<[Source], Change[]> = {
  BinaryExpression(node, source) {
    const { operator, left, right } = node;
    if (operator === "in" || operator === "instanceof")
      return whole(node, `!(${source.text.slice(node.start, node.end)})`);
    return between(node, left, right, source);
  },
  LogicalExpression: (node, source) => between(node, node.left, node.right, source),
  AssignmentExpression: (node, source) => between(node, node.left, node.right, source),
  UnaryExpression(node) {
    const { operator, start } = node;
    return operator === "!" || operator === "-" ? [{ start, end: start + 1, text: "", of: node }] : [];
  },
  UpdateExpression(node) {
    const start = node.prefix ? node.start : node.end - 2;
    return (OPERATORS[node.operator] ?? []).map((text) => ({ start, end: start + 2, text, of: node }));
  },
  IfStatement: condition,
  ConditionalExpression: condition,
  WhileStatement: condition,
  ForStatement: condition,
  Literal(node) {
    const { value } = node;
    if (typeof value === "number") return whole(node, value === 0 ? "1" : "0", String(value + 1));
    if (typeof value === "boolean") return whole(node, String(!value));
    return typeof value === "string" ? whole(node, value === "" ? '"mutant"' : '""') : [];
  },
  TemplateLiteral: (node) => whole(node, "``"),
  ReturnStatement({ argument }) {
    return argument ? whole(argument, "0", "-1") : [];
  },
  ArrowFunctionExpression({ body, expression }) {
    return expression ? whole(body, "0", "-1") : [];
  },
  ArrayExpression: (node) => (node.elements.length > 0 ? whole(node, "[]") : []),
  MemberExpression(node, { text }) {
    const { optional, object, property, computed } = node;
    if (optional) {
      const start = text.indexOf("?.", object.end);
      return [{ start, end: start + 2, text: computed ? "" : ".", of: node }];
    }
    const opposite = property.type === "Identifier" && !computed ? METHODS[property.name] : undefined;
    return opposite === undefined ? [] : [{ start: property.start, end: property.end, text: opposite, of: node }];
  },
  ExpressionStatement: removed,
  ThrowStatement: removed,
  BreakStatement: removed,
  ContinueStatement: removed,
};
