import type { AnyNode, CallExpression } from "acorn";
import type { HookName } from "../../../hooks/catalogue.js";
import type { FunctionNode } from "../../../policy/syntax/nodes.js";
import { calledHelper } from "../../../policy/units/called-helper.js";
import { FactFlow, type Parameters } from "../../../policy/units/fact-flow.js";
import type { Unit } from "../../../policy/units/units.js";
import { Completion } from "./completion.js";
import { parentsOf } from "./parents.js";
import { Values } from "./values.js";

type NodeOf<T extends AnyNode["type"]> = Extract<AnyNode, { type: T }>;

const NONE: ReadonlySet<string> = new Set();

/** A call of a helper of the module `countersign`. */
export interface HelperCall {
  readonly node: CallExpression;
  readonly helper: string;
}

/** What rules ask about one file of a policy. Everything is computed on demand, and once. */
export class PolicyFile {
  readonly flow: FactFlow;
  readonly completion = new Completion();
  readonly values: Values;
  #parents: ReadonlyMap<AnyNode, AnyNode> | undefined;
  #byType: Map<string, AnyNode[]> | undefined;
  #calls: readonly HelperCall[] | undefined;

  /**
   * `hooks` are the hook functions in this file with the kinds of their parameters. `guaranteed` are facts that can be
   * null but are not for any attachment of the policy, such as `Current.container`. `labels` are the keys of labels in
   * scopes and tests. `names` are the hooks of each hook function of the policy. `forScan` says whether a scan shall be
   * able to tell what the policy decides.
   */
  constructor(
    readonly unit: Unit,
    readonly hooks: Parameters,
    readonly guaranteed: ReadonlySet<string> = NONE,
    readonly labels: ReadonlySet<string> = NONE,
    private readonly names: ReadonlyMap<AnyNode, readonly HookName[]> = new Map(),
    readonly forScan = false,
  ) {
    this.flow = new FactFlow(unit, hooks);
    this.values = new Values(unit, this.flow, this.completion);
  }

  /** All nodes of some types, in the order in which they end. */
  nodes<T extends AnyNode["type"]>(...types: readonly T[]): readonly NodeOf<T>[] {
    if (this.#byType === undefined) {
      this.#byType = new Map();
      for (const node of this.unit.source.nodes) {
        const others = this.#byType.get(node.type);
        if (others === undefined) this.#byType.set(node.type, [node]);
        else others.push(node);
      }
    }
    return types.flatMap((type) => this.#byType!.get(type) ?? []) as NodeOf<T>[];
  }

  parent(node: AnyNode): AnyNode | undefined {
    this.#parents ??= parentsOf(this.unit.source.program);
    return this.#parents.get(node);
  }

  /** The nodes around a node, the nearest first. */
  *around(node: AnyNode): Iterable<AnyNode> {
    for (let at = this.parent(node); at !== undefined; at = this.parent(at)) yield at;
  }

  get helperCalls(): readonly HelperCall[] {
    this.#calls ??= this.nodes("CallExpression").flatMap((node) => {
      const helper = calledHelper(node.callee, this.unit);
      return helper === null ? [] : [{ node, helper }];
    });
    return this.#calls;
  }

  /** The helper that an expression calls; null for any other expression. */
  helperOf(node: AnyNode): string | null {
    return node.type === "CallExpression" ? calledHelper(node.callee, this.unit) : null;
  }

  text(node: Pick<AnyNode, "start" | "end">): string {
    return this.unit.source.text.slice(node.start, node.end);
  }

  /** The text of a node for a message: one line of at most 60 characters, in backticks. */
  quote(node: Pick<AnyNode, "start" | "end">): string {
    const text = this.text({ start: node.start, end: Math.min(node.end, node.start + 200) }).replace(/\s+/g, " ");
    return `\`${text.length > 60 ? `${text.slice(0, 59)}…` : text}\``;
  }

  /** Whether a variable that an identifier reads can never change. One declared by `var` is undefined before. */
  isConstant(node: AnyNode): boolean {
    return this.isWrittenOnce(node) && !this.unit.variables.meant(node)!.isVar;
  }

  /** Whether a variable that an identifier reads has one value, or none. */
  isWrittenOnce(node: AnyNode): boolean {
    const variable = this.unit.variables.meant(node);
    return variable !== undefined && variable.writes <= 1 && !variable.isOpaque;
  }

  /** The expression that an identifier stands for, if it is a variable that never changes; otherwise null. */
  constantValue(node: AnyNode): AnyNode | null {
    const [value] = this.isConstant(node) ? this.unit.variables.meant(node)!.values : [];
    return value !== undefined && "expression" in value ? value.expression : null;
  }

  /** Whether the node is in a `try` block with a `catch`, or in a function that is. */
  isCaught(node: AnyNode): boolean {
    let inner: AnyNode = node;
    for (const outer of this.around(node)) {
      if (outer.type === "TryStatement" && outer.block === inner && outer.handler) return true;
      inner = outer;
    }
    return false;
  }

  /** The hooks at which a node can be evaluated: all of the policy for a node that is in no hook function. */
  hooksAround(node: AnyNode): ReadonlySet<HookName> {
    for (const outer of this.around(node)) {
      const hooks = this.names.get(outer);
      if (hooks !== undefined) return new Set(hooks);
    }
    return new Set([...this.names.values()].flat());
  }

  /** The innermost function around a node. */
  functionAround(node: AnyNode): FunctionNode | null {
    for (const outer of this.around(node))
      if (/^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(outer.type))
        return outer as FunctionNode;
    return null;
  }
}

/** Operands of a chain of one logical operator, from left to right. */
export function operandsOf(node: AnyNode, operator: "&&" | "||" | "??"): AnyNode[] {
  const operands: AnyNode[] = [];
  const open: AnyNode[] = [node];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.type === "LogicalExpression" && at.operator === operator) open.push(at.right, at.left);
    else operands.push(at);
  }
  return operands;
}

/** Nodes with a condition, and the condition. */
export function testOf(node: AnyNode): AnyNode | null {
  switch (node.type) {
    case "IfStatement":
    case "ConditionalExpression":
    case "WhileStatement":
    case "DoWhileStatement":
      return node.test;
    case "ForStatement":
      return node.test ?? null;
    default:
      return null;
  }
}

/** Node types that have a condition. */
export const CONDITIONAL = [
  "IfStatement",
  "ConditionalExpression",
  "WhileStatement",
  "DoWhileStatement",
  "ForStatement",
] as const;

/**
 * The operands of a condition that are tested for truth: those of `&&` and `||` within it, without `!` in front of
 * them.
 */
export function truthTests(test: AnyNode): AnyNode[] {
  const tests: AnyNode[] = [];
  const open: AnyNode[] = [test];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.type === "LogicalExpression" && at.operator !== "??") open.push(at.right, at.left);
    else if (at.type === "UnaryExpression" && at.operator === "!") open.push(at.argument);
    else tests.push(at);
  }
  return tests;
}
