import type { AnyNode, Identifier, Pattern, Program, ReturnStatement } from "acorn";
import { base } from "acorn-walk";
import { patternNames } from "./patterns.js";
import { Variable } from "./variable.js";

type Visit = (node: AnyNode, state: undefined, role?: string) => void;
const within = base as unknown as Readonly<Record<string, (node: AnyNode, state: undefined, visit: Visit) => void>>;

interface Kind {
  /** Whether the node declares names in the enclosing scope. */
  readonly declares?: boolean;
  /** Whether the node has a scope of its own. */
  readonly isScope?: boolean;
  /** Whether `var` declares in it, and `return` returns from it. */
  readonly isFunction?: boolean;
}

const BLOCK: Kind = { isScope: true };
const FUNCTION: Kind = { isScope: true, isFunction: true };

/** The kinds of nodes that matter to scopes. */
const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["Program", FUNCTION],
  ["FunctionDeclaration", { ...FUNCTION, declares: true }],
  ["FunctionExpression", FUNCTION],
  ["ArrowFunctionExpression", FUNCTION],
  ["StaticBlock", FUNCTION],
  ["ClassExpression", BLOCK],
  ["BlockStatement", BLOCK],
  ["ForStatement", BLOCK],
  ["ForInStatement", BLOCK],
  ["ForOfStatement", BLOCK],
  ["SwitchStatement", BLOCK],
  ["CatchClause", BLOCK],
  ["VariableDeclaration", { declares: true }],
  ["ClassDeclaration", { declares: true }],
  ["ImportDeclaration", { declares: true }],
]);

/** Whether a node is visited by its own type. Visiting it directly halves the stack use for deep expressions. */
const isOwn = (role: string | undefined): boolean =>
  role === undefined || role === "Expression" || role === "Statement" || role === "MemberPattern";

/** An identifier whose scope has not ended yet. */
interface Unresolved {
  readonly identifier: AnyNode;
  readonly isRead: boolean;
  /** Number of identifiers before it in the walk. */
  readonly at: number;
}

type Names = Map<string, Variable>;

/**
 * The syntax tree of a file, walked once for all passes: its nodes, and the variable that each identifier denotes
 * (ECMA-262, 8.2 Scope Analysis). The parameters and the body of a function share one scope here. The walk takes time
 * linear in the size of the file, however deep scopes are nested: an identifier is resolved at the end of the scope
 * that declares its name.
 */
export class Tree {
  /**
   * All nodes in post-order: each node follows the nodes within it. Names that are bound, and names of properties and
   * labels, are left out.
   */
  readonly nodes: AnyNode[] = [];
  /** For each node, by index: the index of the first node within it, or its own. */
  readonly firsts: number[] = [];
  /** Member expressions that are assigned to. */
  readonly assigned = new Set<AnyNode>();
  /** Identifiers in patterns, which are written. */
  readonly written: Identifier[] = [];
  /** The `return` statements of each function. */
  readonly returns = new Map<AnyNode, ReturnStatement[]>();
  /** All variables of the file, in the order in which the text declares them. */
  readonly variables: Variable[] = [];
  /** Variables that are declared at the top level of the file. */
  readonly topLevel: ReadonlyMap<string, Variable>;
  readonly #meant = new Map<AnyNode, Variable>();
  readonly #unresolved = new Map<string, Unresolved[]>();
  #identifiers = 0;
  /** The current scope, the scope in which `var` declares, and the current function. */
  #scope: Names;
  #functionScope: Names;
  #function: AnyNode;
  /** The name of the current declaration, which is resolved in the enclosing scope. */
  #ownName: AnyNode | null = null;

  constructor(program: Program) {
    this.#scope = this.#functionScope = new Map();
    this.#function = program;
    this.topLevel = this.#scope;
    this.#visit(program, undefined);
  }

  /** The variable that an identifier reads or writes; undefined for a global name. */
  meant(identifier: AnyNode): Variable | undefined {
    return this.#meant.get(identifier);
  }

  readonly #visit: Visit = (node, _, role) => {
    if (!isOwn(role)) {
      if (role === "VariablePattern") this.#write(node as Identifier);
      else within[role!]!(node, undefined, this.#visit);
      return;
    }
    const { type } = node;
    const first = this.nodes.length;
    if (type === "Identifier") this.#note(node, true);
    else {
      if (role === "MemberPattern") this.assigned.add(node);
      else if (type === "ReturnStatement") this.#addReturn(node);
      const kind = KINDS.get(type);
      if (kind?.declares) this.#declare(node);
      if (kind?.isScope) this.#visitScope(node, kind.isFunction === true);
      else within[type]!(node, undefined, this.#visit);
    }
    this.nodes.push(node);
    this.firsts.push(first);
  };

  #visitScope(node: AnyNode, isFunction: boolean): void {
    const outer = this.#scope;
    const outerFunctionScope = this.#functionScope;
    const outerFunction = this.#function;
    const first = this.#identifiers;
    const scope: Names = node.type === "Program" ? outer : new Map();
    this.#scope = scope;
    if (isFunction) {
      this.#functionScope = scope;
      this.#function = node;
    }
    this.#declareWithin(node, scope);
    within[node.type]!(node, undefined, this.#visit);
    for (const variable of scope.values()) this.#resolve(variable, first);
    this.#scope = outer;
    this.#functionScope = outerFunctionScope;
    this.#function = outerFunction;
  }

  /** Assigns to a variable the identifiers of its name since the start of its scope. */
  #resolve(variable: Variable, first: number): void {
    const found = this.#unresolved.get(variable.name);
    for (let last = found?.at(-1); last !== undefined && last.at >= first; last = found!.at(-1)) {
      found!.pop();
      this.#meant.set(last.identifier, variable);
      if (last.isRead) variable.reads += 1;
      else variable.writes += 1;
    }
  }

  #note(identifier: AnyNode & { name: string }, isRead: boolean): void {
    const unresolved = { identifier, isRead, at: this.#identifiers++ };
    const others = this.#unresolved.get(identifier.name);
    if (others === undefined) this.#unresolved.set(identifier.name, [unresolved]);
    else others.push(unresolved);
  }

  #write(identifier: Identifier): void {
    this.written.push(identifier);
    if (identifier !== this.#ownName) this.#note(identifier, false);
  }

  #addReturn(node: ReturnStatement): void {
    const returns = this.returns.get(this.#function);
    if (returns === undefined) this.returns.set(this.#function, [node]);
    else returns.push(node);
  }

  /** Adds the names that a node declares in the enclosing scope. */
  #declare(node: AnyNode): void {
    switch (node.type) {
      case "VariableDeclaration": {
        const isVar = node.kind === "var";
        const scope = isVar ? this.#functionScope : this.#scope;
        for (const { id } of node.declarations) this.#addPattern(scope, id, isVar);
        break;
      }
      case "FunctionDeclaration":
      case "ClassDeclaration":
        if (node.id) this.#add(this.#scope, node.id.name);
        if (node.type === "ClassDeclaration" || !node.id) break;
        this.#ownName = node.id;
        this.#note(node.id, false);
        break;
      case "ImportDeclaration":
        for (const { local } of node.specifiers) this.#add(this.#scope, local.name);
        break;
    }
  }

  /** Adds the names that a node declares in its own scope. */
  #declareWithin(node: AnyNode, scope: Names): void {
    switch (node.type) {
      case "FunctionExpression":
      case "ClassExpression":
        if (node.id) this.#add(scope, node.id.name);
        break;
      case "CatchClause":
        if (node.param) this.#addPattern(scope, node.param);
        break;
    }
    if ("params" in node) for (const parameter of node.params) this.#addPattern(scope, parameter);
  }

  #addPattern(scope: Names, pattern: Pattern, isVar = false): void {
    if (pattern.type === "Identifier") this.#add(scope, pattern.name, isVar);
    else for (const name of patternNames(pattern)) this.#add(scope, name, isVar);
  }

  #add(scope: Names, name: string, isVar = false): void {
    if (scope.has(name)) return;
    const variable = new Variable(name);
    variable.isVar = isVar;
    scope.set(name, variable);
    this.variables.push(variable);
  }
}
