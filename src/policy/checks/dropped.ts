import type { AnyNode, CallExpression, Class } from "acorn";
import type { Source } from "../syntax/source.js";
import type { Variable } from "../syntax/variable.js";
import { keyOf, type Variables } from "../units/variables.js";

/** Expressions of a file whose value nothing uses. */
export interface DroppedValues {
  /** Calls, members and whole optional chains, each once. */
  readonly expressions: readonly AnyNode[];
  /** Left operands of `&&` in such an expression: only the operator uses their value. */
  readonly conditions: readonly AnyNode[];
  /** Callbacks whose return value is dropped and that are not function expressions. */
  readonly callbacks: readonly AnyNode[];
}

/** Methods whose callback's return value affects only the result of the call, with the index of the callback. */
const COLLECTED: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    "every filter find findIndex findLast findLastIndex flatMap map some".split(" ").map((m) => [m, 0]),
  ),
  ...Object.fromEntries("from groupBy replace replaceAll".split(" ").map((method) => [method, 1])),
};

/**
 * Finds expressions whose value is dropped: an expression statement, the operand of `void`, an operand of a comma
 * operator other than the last, the initializer and update of a `for`, the return value of a `forEach` callback or a
 * setter, and a value stored in a variable, private field or class that is never read; and within these the operands,
 * elements and callbacks that determine the value. Takes time linear in the size of the file.
 */
export function droppedValues(source: Source, variables: Variables): DroppedValues {
  const search = new Search(source, variables);
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
  /** Number of reads of each variable whose value is dropped in turn. */
  readonly #droppedReads = new Map<Variable, number>();
  /** Assignments whose own value is dropped, by the variable that they write. */
  readonly #assigned = new Map<Variable, AnyNode[]>();

  #names: OwnNames | undefined;

  constructor(
    private readonly source: Source,
    private readonly variables: Variables,
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
        if (methodOf(node) === "forEach") this.#dropReturned(node.arguments[0]);
        break;
      case "PropertyDefinition":
        if (node.value && node.key.type === "PrivateIdentifier" && !this.#own.privateReads.has(node.key.name))
          this.#drop(node.value);
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
      case "TaggedTemplateExpression":
      case "MemberExpression":
        this.expressions.push(node);
        break;
      case "CallExpression":
        this.expressions.push(node);
        this.#dropCollected(node);
        break;
      case "ChainExpression":
        this.expressions.push(node);
        if (node.expression.type === "CallExpression") this.#dropCollected(node.expression);
        break;
      case "UnaryExpression":
        // `delete` does not read its operand
        if (node.operator !== "delete") this.#drop(node.argument);
        break;
      case "BinaryExpression":
        if (node.left.type !== "PrivateIdentifier") this.#drop(node.left);
        this.#drop(node.right);
        break;
      case "TemplateLiteral":
        node.expressions.forEach(this.#drop);
        break;
      case "ArrayExpression":
        for (const element of node.elements)
          if (element !== null && element.type !== "SpreadElement") this.#drop(element);
        break;
      case "ObjectExpression":
        for (const property of node.properties)
          if (property.type === "Property" && property.kind === "init") this.#drop(property.value);
        break;
      case "ClassDeclaration":
      case "ClassExpression":
        this.#takeClass(node);
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
        // A denial on the left of `&&` is truthy, so the result is always the right operand.
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

  /**
   * Marks static fields of a class that nothing refers to as dropped, unless its own code can read them through `this`.
   */
  #takeClass({ start, end, body }: Class): void {
    if (this.#own.hasThis(start, end)) return;
    for (const member of body.body)
      if (member.type === "PropertyDefinition" && member.static && member.value) this.#drop(member.value);
  }

  /** Marks the return values of a callback as dropped if they affect only the result of this call. */
  #dropCollected(node: CallExpression): void {
    const method = methodOf(node);
    const index = method !== null && Object.hasOwn(COLLECTED, method) ? COLLECTED[method] : undefined;
    // A method of the same name in the policy can use the callback's return value.
    if (index !== undefined && !this.#own.methods.has(method!)) this.#dropReturned(node.arguments[index]);
  }

  get #own(): OwnNames {
    this.#names ??= new OwnNames(this.source.nodes);
    return this.#names;
  }

  #dropReturned(callback: AnyNode | undefined): void {
    if (callback === undefined) return;
    if (callback.type === "ArrowFunctionExpression" && callback.expression) this.#drop(callback.body);
    else if (callback.type === "ArrowFunctionExpression" || callback.type === "FunctionExpression") {
      // The body of a generator does not run without an iterator.
      if (callback.generator) return;
      for (const { argument } of this.source.tree.returns.get(callback) ?? []) if (argument) this.#drop(argument);
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

function methodOf({ callee }: CallExpression): string | null {
  return callee.type === "MemberExpression" ? keyOf(callee.property, callee.computed) : null;
}

/** Names of members that a file defines or reads. */
class OwnNames {
  /** Names of properties and methods that the file defines. */
  readonly methods = new Set<string>();
  /** Names of private fields that the file reads. */
  readonly privateReads = new Set<string>();
  readonly #this: number[] = [];

  constructor(nodes: readonly AnyNode[]) {
    for (const node of nodes) this.#note(node);
    this.#this.sort((left, right) => left - right);
  }

  /** Whether `this` occurs between two offsets. */
  hasThis(start: number, end: number): boolean {
    let [low, high] = [0, this.#this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#this[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low < this.#this.length && this.#this[low]! < end;
  }

  #note(node: AnyNode): void {
    switch (node.type) {
      case "ThisExpression":
        this.#this.push(node.start);
        break;
      case "MemberExpression":
        if (node.property.type === "PrivateIdentifier") this.privateReads.add(node.property.name);
        break;
      case "AssignmentExpression":
        if (node.left.type === "MemberExpression") this.#define(node.left.property, node.left.computed);
        break;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        this.#define(node.key, node.computed);
        break;
    }
  }

  #define(key: AnyNode, computed: boolean): void {
    const name = keyOf(key, computed);
    if (name !== null) this.methods.add(name);
  }
}
