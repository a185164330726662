import type { AnyNode, ReturnStatement } from "acorn";
import type { Source } from "./source.js";
import type { Variable } from "./variable.js";
import { keyOf, type Variables } from "./variables.js";

/** Expressions of a file whose value nothing uses. */
export interface DroppedValues {
  /** Calls, members and whole optional chains, each once. */
  readonly expressions: readonly AnyNode[];
  /** Left operands of `&&` in such an expression: nothing uses their value but the operator. */
  readonly conditions: readonly AnyNode[];
  /** What is given to `forEach` in the place of a function expression. */
  readonly callbacks: readonly AnyNode[];
}

/**
 * Finds the expressions whose value is dropped: an expression statement, an operand of `void`, an operand of a comma
 * but the last, the first and last part of a `for`, what a callback of `forEach` or a setter returns, what is stored in
 * a variable that is never read; and within these the operands that give them their value. Its time is linear in the
 * size of the file.
 */
export function droppedValues(source: Source, variables: Variables): DroppedValues {
  const search = new Search(variables, source.tree.returns);
  for (const node of source.nodes) search.begin(node);
  for (const variable of variables.all) if (variable.reads === 0) search.neverRead(variable);
  search.run();
  return search;
}

class Search implements DroppedValues {
  readonly expressions: AnyNode[] = [];
  readonly conditions: AnyNode[] = [];
  readonly callbacks: AnyNode[] = [];
  readonly #open: AnyNode[] = [];
  readonly #seen = new Set<AnyNode>();
  /** Reads of variables whose value is dropped in turn. */
  readonly #droppedReads = new Map<Variable, number>();
  /** Assignments whose own value is dropped, by the variable that they store in. */
  readonly #assigned = new Map<Variable, AnyNode[]>();

  constructor(
    private readonly variables: Variables,
    private readonly returns: ReadonlyMap<AnyNode, readonly ReturnStatement[]>,
  ) {}

  begin(node: AnyNode): void {
    switch (node.type) {
      case "ExpressionStatement":
        if (!("directive" in node) || node.directive === undefined) this.#drop(node.expression);
        break;
      case "UnaryExpression":
        if (node.operator === "void") this.#drop(node.argument);
        break;
      case "SequenceExpression":
        node.expressions.slice(0, -1).forEach(this.#drop);
        break;
      case "ForStatement":
        if (node.init && node.init.type !== "VariableDeclaration") this.#drop(node.init);
        if (node.update) this.#drop(node.update);
        break;
      case "CallExpression":
        if (isForEach(node.callee)) this.#dropReturned(node.arguments[0]);
        break;
      case "MethodDefinition":
      case "Property":
        if (node.kind === "set") this.#dropReturned(node.value);
        break;
    }
  }

  neverRead(variable: Variable): void {
    variable.initial.forEach(this.#drop);
    this.#assigned.get(variable)?.forEach(this.#drop);
  }

  run(): void {
    for (let node = this.#open.pop(); node !== undefined; node = this.#open.pop()) this.#take(node);
  }

  #take(node: AnyNode): void {
    switch (node.type) {
      case "CallExpression":
      case "TaggedTemplateExpression":
      case "MemberExpression":
      case "ChainExpression":
        this.expressions.push(node);
        break;
      case "SequenceExpression":
        this.#drop(node.expressions.at(-1)!);
        break;
      case "ConditionalExpression":
        this.#drop(node.consequent);
        this.#drop(node.alternate);
        break;
      case "LogicalExpression":
        this.#drop(node.right);
        // a denial on the left of `&&` is true, so that it is never the value of the whole
        if (node.operator === "&&") this.conditions.push(node.left);
        else this.#drop(node.left);
        break;
      case "AssignmentExpression":
        this.#takeAssignment(node.left, node.right, node.operator);
        break;
      case "Identifier":
        this.#takeRead(node);
        break;
    }
  }

  #takeAssignment(target: AnyNode, value: AnyNode, operator: string): void {
    const variable = target.type === "Identifier" ? this.variables.meant(target) : undefined;
    if (variable === undefined || !STORES.has(operator)) return;
    const values = this.#assigned.get(variable);
    if (values === undefined) this.#assigned.set(variable, [value]);
    else values.push(value);
    if (this.#isNeverRead(variable)) this.#drop(value);
  }

  #takeRead(node: AnyNode): void {
    const variable = this.variables.meant(node);
    if (variable === undefined) return;
    this.#droppedReads.set(variable, (this.#droppedReads.get(variable) ?? 0) + 1);
    if (this.#isNeverRead(variable)) this.neverRead(variable);
  }

  #isNeverRead(variable: Variable): boolean {
    return variable.reads === (this.#droppedReads.get(variable) ?? 0);
  }

  #dropReturned(callback: AnyNode | undefined): void {
    if (callback === undefined) return;
    if (callback.type === "ArrowFunctionExpression" && callback.expression) this.#drop(callback.body);
    else if (callback.type === "ArrowFunctionExpression" || callback.type === "FunctionExpression") {
      // a generator does not even run
      if (callback.generator) return;
      for (const { argument } of this.returns.get(callback) ?? []) if (argument) this.#drop(argument);
    } else this.callbacks.push(callback);
  }

  readonly #drop = (node: AnyNode): void => {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    this.#open.push(node);
  };
}

/** Assignments after which the variable can hold the value on the right. */
const STORES: ReadonlySet<string> = new Set(["=", "||=", "&&=", "??="]);

function isForEach(callee: AnyNode): boolean {
  return callee.type === "MemberExpression" && keyOf(callee.property, callee.computed) === "forEach";
}
