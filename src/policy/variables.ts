import type { AnyNode, FunctionDeclaration, Identifier, Pattern, Program, ReturnStatement } from "acorn";
import { base } from "acorn-walk";
import { patternNames } from "./bindings.js";

/** What a variable can hold: an expression of the file, or a property of one, where a pattern takes it apart. */
export type Value = { readonly expression: AnyNode } | { readonly object: AnyNode; readonly key: string };

/** A variable, parameter, function, class or import of one file. */
export class Variable {
  /** What declarations, defaults and assignments give it. */
  readonly values: Value[] = [];
  /** Those of `values` that are expressions of a declaration or a default. */
  readonly initial: AnyNode[] = [];
  /** Whether it is also given something else: an argument, an element, the result of an update. */
  isOpaque = false;
  /** How many expressions read it. An export counts as one. */
  reads = 0;

  constructor(readonly name: string) {}
}

type Visit = (node: AnyNode, state: undefined, as?: string) => void;
const within = base as unknown as Readonly<Record<string, (node: AnyNode, state: undefined, visit: Visit) => void>>;

/** Nodes that have names of their own. */
const SCOPES: ReadonlySet<string> = new Set([
  "Program",
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "ClassExpression",
  "StaticBlock",
  "BlockStatement",
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "SwitchStatement",
  "CatchClause",
]);
/** Those that `var` declares in. */
const FUNCTIONS: ReadonlySet<string> = new Set([
  "Program",
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
  "StaticBlock",
]);

/**
 * The variables of a file, and which one each identifier means (ECMA-262, 8.2 Scope Analysis). Parameters and the body of a
 * function share a scope here. Its time is linear in the size of the file, however deep scopes are nested.
 */
export class Variables {
  /** Every variable of the file, in the order of the scopes. */
  readonly all: Variable[] = [];
  /** The `return` statements of each function. */
  readonly returns = new Map<AnyNode, ReturnStatement[]>();
  readonly #meant = new Map<AnyNode, Variable>();
  readonly #scopes = new Map<AnyNode, Map<string, Variable>>();
  readonly #visible = new Map<string, Variable[]>();
  /** Identifiers of patterns whose value is known. */
  readonly #known = new Set<AnyNode>();
  /** Declarators that a `for … of` or `for … in` gives a value. */
  readonly #iterated = new Set<AnyNode>();
  readonly #program: Program;

  /** `exported` are the local names that the file exports. */
  constructor(program: Program, exported: Iterable<string>) {
    this.#program = program;
    this.#declare(program);
    this.#resolve(program);
    for (const name of exported) {
      const variable = this.topLevel(name);
      if (variable !== undefined) variable.reads += 1;
    }
  }

  /** The variable that an identifier reads or writes; undefined for a global name. */
  meant(identifier: AnyNode): Variable | undefined {
    return this.#meant.get(identifier);
  }

  topLevel(name: string): Variable | undefined {
    return this.#scopes.get(this.#program)?.get(name);
  }

  /** Finds which names each scope has. */
  #declare(program: Program): void {
    let scope = new Map<string, Variable>();
    let functionScope = scope;
    const add = (to: Map<string, Variable>, name: string) => {
      if (to.has(name)) return;
      const variable = new Variable(name);
      to.set(name, variable);
      this.all.push(variable);
    };
    const visit: Visit = (node, _, as) => {
      const type = as ?? node.type;
      if (as === undefined) {
        const into = node.type === "VariableDeclaration" && node.kind === "var" ? functionScope : scope;
        for (const name of namesAround(node)) add(into, name);
      }
      if (as !== undefined || !SCOPES.has(type)) {
        within[type]!(node, undefined, visit);
        return;
      }
      const outer = [scope, functionScope] as const;
      scope = new Map();
      if (FUNCTIONS.has(type)) functionScope = scope;
      this.#scopes.set(node, scope);
      for (const name of namesWithin(node)) add(scope, name);
      within[type]!(node, undefined, visit);
      [scope, functionScope] = outer;
    };
    visit(program, undefined);
  }

  /** Finds the variable that each identifier means, and what is written to it. */
  #resolve(program: Program): void {
    let around: AnyNode = program;
    const visit: Visit = (node, _, as) => {
      const type = as ?? node.type;
      if (type === "VariablePattern") return this.#write(node as Identifier);
      if (as === undefined) this.#note(node, around);
      const scope = as === undefined ? this.#scopes.get(node) : undefined;
      if (scope === undefined) {
        within[type]!(node, undefined, visit);
        return;
      }
      const outer = around;
      if (FUNCTIONS.has(type)) around = node;
      for (const [name, variable] of scope) {
        const shadowed = this.#visible.get(name);
        if (shadowed === undefined) this.#visible.set(name, [variable]);
        else shadowed.push(variable);
      }
      within[type]!(node, undefined, visit);
      for (const name of scope.keys()) this.#visible.get(name)!.pop();
      around = outer;
    };
    visit(program, undefined);
  }

  #write(identifier: Identifier): void {
    const variable = this.#lookUp(identifier);
    if (variable !== undefined && !this.#known.has(identifier)) variable.isOpaque = true;
  }

  #note(node: AnyNode, around: AnyNode): void {
    switch (node.type) {
      case "Identifier": {
        const variable = this.#lookUp(node);
        if (variable !== undefined) variable.reads += 1;
        break;
      }
      case "UpdateExpression": {
        const variable = node.argument.type === "Identifier" ? this.#lookUp(node.argument) : undefined;
        if (variable !== undefined) variable.isOpaque = true;
        break;
      }
      case "ForInStatement":
      case "ForOfStatement":
        if (node.left.type === "VariableDeclaration")
          for (const declarator of node.left.declarations) this.#iterated.add(declarator);
        break;
      case "VariableDeclarator":
        if (node.init) this.#give(node.id, node.init, true);
        else if (!this.#iterated.has(node)) this.#known.add(node.id);
        break;
      case "AssignmentExpression":
        if (STORES.has(node.operator)) this.#give(node.left as Pattern, node.right, false);
        break;
      case "AssignmentPattern":
        if (node.left.type !== "Identifier") break;
        this.#give(node.left, node.right, true);
        // the default is one of the values that it can have
        this.#known.delete(node.left);
        break;
      case "ReturnStatement": {
        const returns = this.returns.get(around);
        if (returns === undefined) this.returns.set(around, [node]);
        else returns.push(node);
        break;
      }
      case "FunctionDeclaration":
      case "FunctionExpression":
      case "ClassDeclaration":
      case "ClassExpression":
        if (node.id) this.#known.add(node.id);
        break;
    }
  }

  #give(target: Pattern, value: AnyNode, isInitial: boolean): void {
    if (target.type === "Identifier") {
      this.#known.add(target);
      const variable = this.#lookUp(target);
      variable?.values.push({ expression: value });
      if (isInitial) variable?.initial.push(value);
    } else if (target.type === "ObjectPattern") {
      for (const property of target.properties) {
        if (property.type !== "Property" || property.value.type !== "Identifier") continue;
        const key = keyOf(property.key, property.computed);
        if (key === null) continue;
        this.#known.add(property.value);
        this.#lookUp(property.value)?.values.push({ object: value, key });
      }
    }
  }

  #lookUp(identifier: Identifier): Variable | undefined {
    const variable = this.#meant.get(identifier) ?? this.#visible.get(identifier.name)?.at(-1);
    if (variable !== undefined) this.#meant.set(identifier, variable);
    return variable;
  }
}

/** Assignments after which a variable can hold the value on the right. */
const STORES: ReadonlySet<string> = new Set(["=", "||=", "&&=", "??="]);

/** The key that a property or member has in the text, or null where it is computed. */
export function keyOf(key: AnyNode, computed: boolean): string | null {
  if (!computed && key.type === "Identifier") return key.name;
  return key.type === "Literal" && typeof key.value === "string" ? key.value : null;
}

/** Names that a node declares in the scope that it stands in. */
function namesAround(node: AnyNode): string[] {
  switch (node.type) {
    case "VariableDeclaration":
      return node.declarations.flatMap(({ id }) => patternNames(id));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return node.id ? [node.id.name] : [];
    case "ImportDeclaration":
      return node.specifiers.map(({ local }) => local.name);
    default:
      return [];
  }
}

/** Names that a node declares in its own scope. */
function namesWithin(node: AnyNode): string[] {
  switch (node.type) {
    case "FunctionDeclaration":
    case "ArrowFunctionExpression":
      return (node as FunctionDeclaration).params.flatMap(patternNames);
    case "FunctionExpression":
      return [...(node.id ? [node.id.name] : []), ...node.params.flatMap(patternNames)];
    case "ClassExpression":
      return node.id ? [node.id.name] : [];
    case "CatchClause":
      return patternNames(node.param ?? null);
    default:
      return [];
  }
}
