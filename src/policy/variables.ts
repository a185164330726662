import type {
  AnyNode,
  CallExpression,
  FunctionDeclaration,
  Identifier,
  Pattern,
  Program,
  ReturnStatement,
} from "acorn";
import { base } from "acorn-walk";
import { type Bindings, patternNames } from "./bindings.js";

/** What a variable can hold, as far as the text tells. */
export type Value =
  | { readonly expression: AnyNode }
  /** A property, where a pattern takes a value apart. */
  | { readonly object: Value; readonly key: string }
  /** Any element of a value: a loop variable, or one of an array pattern. */
  | { readonly elementOf: Value }
  | { readonly parameterOf: AnyNode; readonly index: number };

/** A variable, parameter, function, class or import of one file. */
export class Variable {
  /** What declarations, defaults and assignments give it. */
  readonly values: Value[] = [];
  /** Those of `values` that are expressions of a declaration or a default. */
  readonly initial: AnyNode[] = [];
  /** Whether it can also hold another value: a rest element, a caught error, the result of an update. */
  isOpaque = false;
  /** How many expressions read it. An export counts as one. */
  reads = 0;

  constructor(readonly name: string) {}
}

type Visit = (node: AnyNode, state: undefined, as?: string) => void;
const within = base as unknown as Readonly<Record<string, (node: AnyNode, state: undefined, visit: Visit) => void>>;

/** Roles in which a node is visited by its own type. Visiting it directly halves the stack use in a deep expression. */
const isSame = (role: string | undefined): boolean =>
  role === "Expression" || role === "Statement" || role === "MemberPattern";

/** Nodes that declare names in the scope that they stand in. */
const DECLARING: ReadonlySet<string> = new Set([
  "VariableDeclaration",
  "FunctionDeclaration",
  "ClassDeclaration",
  "ImportDeclaration",
]);

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
  /** The call that a function expression is an argument of. */
  readonly calledWith = new Map<AnyNode, { readonly call: CallExpression; readonly index: number }>();
  /** Calls of a variable by its name. */
  readonly calls = new Map<Variable, CallExpression[]>();
  /** The variable that a function declaration or an expression is stored in at first. */
  readonly holders = new Map<AnyNode, Variable>();
  readonly #meant = new Map<AnyNode, Variable>();
  readonly #scopes = new Map<AnyNode, Map<string, Variable>>();
  readonly #visible = new Map<string, Variable[]>();
  /** Identifiers in patterns whose value is known. */
  readonly #known = new Set<AnyNode>();
  /** Declarators that a loop gives a value: that value for `for … of`, null for `for … in`. */
  readonly #iterated = new Map<AnyNode, Value | null>();
  readonly #program: Program;

  /** `exports` are those of the file: a variable that is exported counts as read. */
  constructor(program: Program, { exports }: Pick<Bindings, "exports">) {
    this.#program = program;
    this.#declare(program);
    this.#resolve(program);
    for (const { local } of exports.values()) {
      const variable = local === null ? undefined : this.topLevel(local);
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
    const visit: Visit = (node, _, role) => {
      const as = isSame(role) ? undefined : role;
      const type = as ?? node.type;
      if (as !== undefined) return within[type]!(node, undefined, visit);
      if (DECLARING.has(type)) {
        const into = node.type === "VariableDeclaration" && node.kind === "var" ? functionScope : scope;
        for (const name of namesAround(node)) add(into, name);
      }
      if (!SCOPES.has(type)) return within[type]!(node, undefined, visit);
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
    const visit: Visit = (node, _, role) => {
      const as = isSame(role) ? undefined : role;
      const type = as ?? node.type;
      if (type === "VariablePattern") return this.#write(node as Identifier);
      if (as === undefined) this.#note(node, around);
      const scope = as === undefined && SCOPES.has(type) ? this.#scopes.get(node)! : null;
      if (scope === null) return within[type]!(node, undefined, visit);
      const outer = around;
      if (FUNCTIONS.has(type)) around = node;
      for (const [name, variable] of scope) {
        const shadowed = this.#visible.get(name);
        if (shadowed === undefined) this.#visible.set(name, [variable]);
        else shadowed.push(variable);
      }
      if ("params" in node)
        node.params.forEach((parameter, index) => {
          this.#bind(parameter, { parameterOf: node, index });
        });
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
      case "ForOfStatement": {
        const value = node.type === "ForOfStatement" ? { elementOf: { expression: node.right } } : null;
        if (node.left.type === "VariableDeclaration")
          for (const declarator of node.left.declarations) this.#iterated.set(declarator, value);
        else if (value !== null) this.#bind(node.left, value);
        break;
      }
      case "VariableDeclarator": {
        const iterated = this.#iterated.get(node);
        if (node.init) this.#bind(node.id, { expression: node.init });
        else if (iterated === undefined) this.#known.add(node.id);
        else if (iterated !== null) this.#bind(node.id, iterated);
        if (node.init && node.id.type === "Identifier") this.#lookUp(node.id)?.initial.push(node.init);
        break;
      }
      case "AssignmentExpression":
        if (STORES.has(node.operator)) this.#bind(node.left as Pattern, { expression: node.right });
        break;
      case "AssignmentPattern":
        if (node.left.type === "Identifier") this.#lookUp(node.left)?.initial.push(node.right);
        break;
      case "CallExpression":
        this.#noteCall(node);
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
        if (node.type !== "FunctionDeclaration" || !node.id) break;
        this.#hold(this.#lookUp(node.id), node);
        this.#lookUp(node.id)?.values.push({ expression: node });
        break;
    }
  }

  #noteCall(call: CallExpression): void {
    call.arguments.forEach((argument, index) => {
      if (FUNCTIONS.has(argument.type)) this.calledWith.set(argument, { call, index });
    });
    const variable = call.callee.type === "Identifier" ? this.#lookUp(call.callee) : undefined;
    if (variable === undefined) return;
    const calls = this.calls.get(variable);
    if (calls === undefined) this.calls.set(variable, [call]);
    else calls.push(call);
  }

  #hold(variable: Variable | undefined, node: AnyNode): void {
    if (variable !== undefined && FUNCTIONS.has(node.type)) this.holders.set(node, variable);
  }

  /** Gives the names of a pattern what they take of a value. */
  #bind(pattern: Pattern, value: Value): void {
    switch (pattern.type) {
      case "Identifier": {
        this.#known.add(pattern);
        const variable = this.#lookUp(pattern);
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
        }
        break;
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
  if (key.type === "TemplateLiteral" && key.expressions.length === 0) return key.quasis[0]!.value.cooked ?? null;
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
