import type { AnyNode, CallExpression, ForInStatement, ForOfStatement, Pattern } from "acorn";
import { isFunction } from "../syntax/nodes.js";
import type { Tree } from "../syntax/tree.js";
import type { Value, Variable } from "../syntax/variable.js";
import type { Bindings } from "./bindings.js";

/** The values that the variables of a file can have. The analysis takes time linear in the size of the file. */
export class Variables {
  /** The call that a function expression is an argument of. */
  readonly calledWith = new Map<AnyNode, { readonly call: CallExpression; readonly index: number }>();
  /** The calls whose callee is the variable's name. */
  readonly calls = new Map<Variable, CallExpression[]>();
  /** The variable that a function is declared as, or first stored in. */
  readonly holders = new Map<AnyNode, Variable>();
  /** Identifiers in patterns that receive a known value. */
  readonly #known = new Set<AnyNode>();

  /** `exports` are the exports of the file; an exported variable counts as read. */
  constructor(
    private readonly tree: Tree,
    { exports }: Pick<Bindings, "exports">,
  ) {
    for (const node of tree.nodes) this.#note(node);
    for (const identifier of tree.written) {
      const variable = this.#known.has(identifier) ? undefined : tree.meant(identifier);
      if (variable !== undefined) variable.isOpaque = true;
    }
    for (const { local } of exports.values()) {
      const variable = local === null ? undefined : this.topLevel(local);
      if (variable !== undefined) variable.reads += 1;
    }
  }

  /** All variables of the file, in the order in which the text declares them. */
  get all(): readonly Variable[] {
    return this.tree.variables;
  }

  /** The variable that an identifier reads or writes; undefined for a global name. */
  meant(identifier: AnyNode): Variable | undefined {
    return this.tree.meant(identifier);
  }

  topLevel(name: string): Variable | undefined {
    return this.tree.topLevel.get(name);
  }

  #note(node: AnyNode): void {
    switch (node.type) {
      case "UpdateExpression": {
        const variable = node.argument.type === "Identifier" ? this.meant(node.argument) : undefined;
        if (variable !== undefined) variable.isOpaque = true;
        break;
      }
      case "ForInStatement":
      case "ForOfStatement":
        this.#noteLoop(node);
        break;
      case "VariableDeclarator":
        if (node.init) this.#bind(node.id, { expression: node.init });
        else this.#known.add(node.id);
        if (node.init && node.id.type === "Identifier") this.meant(node.id)?.initial.push(node.init);
        break;
      case "AssignmentExpression":
        if (STORES.has(node.operator)) this.#bind(node.left as Pattern, { expression: node.right });
        break;
      case "AssignmentPattern":
        if (node.left.type === "Identifier") this.meant(node.left)?.initial.push(node.right);
        break;
      case "CallExpression":
        this.#noteCall(node);
        break;
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ClassDeclaration":
      case "ClassExpression":
        if (node.id) this.#known.add(node.id);
        if (node.type === "ClassDeclaration" && node.id) this.meant(node.id)?.initial.push(node);
        if (node.type === "FunctionDeclaration" && node.id) {
          this.#hold(this.meant(node.id), node);
          this.meant(node.id)?.values.push({ expression: node });
        }
        if ("params" in node) this.#bindParameters(node);
        break;
      case "ArrowFunctionExpression":
        this.#bindParameters(node);
        break;
    }
  }

  #noteLoop({ type, left, right }: ForInStatement | ForOfStatement): void {
    const pattern = left.type === "VariableDeclaration" ? left.declarations[0]!.id : left;
    const variable = pattern.type === "Identifier" ? this.meant(pattern) : undefined;
    // The walk treats a loop variable that is declared elsewhere as an expression, so its write has not been counted.
    if (variable !== undefined && pattern === left) variable.writes += 1;
    if (type === "ForOfStatement") this.#bind(pattern, { elementOf: { expression: right } });
    else if (variable !== undefined) variable.isOpaque = true;
  }

  #noteCall(call: CallExpression): void {
    call.arguments.forEach((argument, index) => {
      if (isFunction(argument)) this.calledWith.set(argument, { call, index });
    });
    const variable = call.callee.type === "Identifier" ? this.meant(call.callee) : undefined;
    if (variable === undefined) return;
    const calls = this.calls.get(variable);
    if (calls === undefined) this.calls.set(variable, [call]);
    else calls.push(call);
  }

  #hold(variable: Variable | undefined, node: AnyNode): void {
    if (variable !== undefined && isFunction(node)) this.holders.set(node, variable);
  }

  #bindParameters(node: AnyNode & { readonly params: readonly Pattern[] }): void {
    node.params.forEach((parameter, index) => {
      this.#bind(parameter, { parameterOf: node, index });
    });
  }

  /** Records the values that the names of a pattern receive. */
  #bind(pattern: Pattern, value: Value): void {
    switch (pattern.type) {
      case "Identifier": {
        this.#known.add(pattern);
        const variable = this.meant(pattern);
        variable?.values.push(value);
        if ("expression" in value) this.#hold(variable, value.expression);
        break;
      }
      case "AssignmentPattern":
        this.#bind(pattern.left, value);
        this.#bind(pattern.left, { expression: pattern.right });
        break;
      case "ArrayPattern":
        for (const element of pattern.elements)
          if (element !== null && element.type !== "RestElement") this.#bind(element, { elementOf: value });
        break;
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type !== "Property") continue;
          const key = keyOf(property.key, property.computed);
          if (key !== null) this.#bind(property.value, { object: value, key });
          else if (isIndex(property.key)) this.#bind(property.value, { elementOf: value });
        }
        break;
    }
  }
}

/** Assignments after which a variable can hold the value on the right. */
const STORES: ReadonlySet<string> = new Set(["=", "||=", "&&=", "??="]);

/** The name of a property or member, or null if it is computed. */
export function keyOf(key: AnyNode, computed: boolean): string | null {
  if (!computed && key.type === "Identifier") return key.name;
  if (key.type === "TemplateLiteral" && key.expressions.length === 0) return key.quasis[0]!.value.cooked ?? null;
  return key.type === "Literal" && typeof key.value === "string" ? key.value : null;
}

function isIndex(key: AnyNode): boolean {
  return key.type === "Literal" && typeof key.value === "number";
}
