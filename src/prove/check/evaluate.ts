import type { AnyNode, Pattern, Statement } from "acorn";
import type { HookName } from "../../hooks/catalogue.js";
import { droppedCalls } from "../../policy/checks/denials.js";
import { addPatternNames } from "../../policy/syntax/patterns.js";
import type { Unit } from "../../policy/units/units.js";
import type { Answer } from "../shared/certificate.js";
import { bind, type Evaluation, evaluated } from "./expressions.js";
import { Helpers } from "./helpers.js";
import { integerWithin, isZero, truthy } from "./operators.js";
import { Fault, NotEvaluated, notEvaluated, type Path, Question, raise } from "./path.js";
import { Closure, isPrimitive, linear, Native, Plain, Scope, Sym } from "./value.js";

/** What a path leads to: a condition that is to be decided, an end, or what is not evaluated. */
export type Outcome =
  | { readonly question: Question["atom"] }
  | { readonly end: Answer; readonly line: string }
  | { readonly notEvaluated: string; readonly line: string };

/** A policy's files in the order in which they run, with the calls whose value is dropped. */
export interface EvaluatedPolicy {
  readonly units: readonly Unit[];
  readonly dropped: ReadonlySet<AnyNode>;
  /** The file of each node. */
  readonly fileOf: ReadonlyMap<AnyNode, Unit>;
}

export function evaluatedPolicy(units: readonly Unit[]): EvaluatedPolicy {
  const dropped = droppedCalls(units).flatMap(({ calls, callbacks }) => [...calls, ...callbacks]);
  const fileOf = new Map(units.flatMap((unit) => unit.source.nodes.map((node) => [node, unit] as const)));
  return { units, dropped: new Set(dropped), fileOf };
}

/** Evaluates a policy under the conditions of a path, up to the first condition that they do not decide. */
export function evaluate(policy: EvaluatedPolicy, hook: HookName, path: Path): Outcome {
  try {
    return new Evaluator(policy, path).decide(hook);
  } catch (error) {
    if (error instanceof Question) return { question: error.atom };
    if (error instanceof Fault) return { end: { fault: error.code }, line: path.line };
    if (error instanceof NotEvaluated) return { notEvaluated: error.what, line: path.line };
    throw error;
  }
}

/** How a statement ends the function. */
type Returned = { readonly value: unknown };

const MOST_CALLS = 10_000;
const MOST_DEPTH = 100;

class Evaluator implements Evaluation {
  readonly dropped: ReadonlySet<AnyNode>;
  readonly #helpers: Helpers;
  readonly #exports: Map<string, unknown>[] = [];
  #unit: Unit;
  #calls = 0;
  #depth = 0;
  /** The line at which the last function returned. */
  #returnedAt = "";

  constructor(
    private readonly policy: EvaluatedPolicy,
    readonly path: Path,
  ) {
    this.dropped = policy.dropped;
    this.#unit = policy.units[0]!;
    this.#helpers = new Helpers(path);
  }

  decide(hook: HookName): Outcome {
    for (const unit of this.policy.units) this.#exports.push(this.#run(unit));
    const { argument, subject, current } = this.path.declarations;
    const given = [
      new Sym({ kind: "object", name: argument, fields: subject, isSubject: true }),
      new Sym({ kind: "object", name: "current", fields: current, isSubject: false }),
    ];
    const value = this.call(this.#exports.at(-1)!.get(hook), given);
    this.path.line = this.#returnedAt;
    const verdict = integerWithin(this.path, value, -4095n, 0n);
    if (verdict === null) throw new Fault("BAD_RETURN_VALUE");
    if (isZero(this.path, verdict)) return { end: { verdict: 0, reason: null }, line: this.path.line };
    const denial = this.#helpers.denialWith(verdict);
    const number = verdict.of.size === 0 ? Number(verdict.constant) : linear(verdict);
    return { end: { verdict: number, reason: denial?.reason ?? null }, line: denial?.line ?? this.path.line };
  }

  /** Runs a file, and returns what it exports. */
  #run(unit: Unit): Map<string, unknown> {
    const { bindings, targets, exports, source } = unit;
    const global = new Scope(null);
    global.declare("undefined", undefined, true);
    const scope = new Scope(global);
    for (const [local, name] of bindings.guest)
      scope.declare(local, name === "*" ? notEvaluated("`import * as`") : this.#helpers.read(name), true);
    const imported = (from: string, name: string) => {
      if (name === "*") notEvaluated("`import * as`");
      return this.#exports[targets.get(from)!]!.get(name);
    };
    for (const { local, from, name } of bindings.imports) scope.declare(local, imported(from, name), true);
    const body = source.program.body.flatMap((node): readonly AnyNode[] => {
      if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration") return [];
      if (node.type === "ExportDefaultDeclaration") return notEvaluated("a default export");
      if (node.type === "ExportNamedDeclaration") return node.declaration ? [node.declaration] : [];
      return [node];
    });
    this.#statements(body, scope);
    return new Map(
      [...exports].map(([name, { local, from, name: other }]) => [
        name,
        from === null ? scope.read(local!) : imported(from, other),
      ]),
    );
  }

  at(node: AnyNode): void {
    // Parts of patterns are not among the nodes of a file: they are in that of the statement around them
    this.#unit = this.policy.fileOf.get(node) ?? this.#unit;
    const { file, lines } = this.#unit.source;
    this.path.line = `${file}:${lines.positionAt(node.start).line}`;
  }

  call(callee: unknown, given: readonly unknown[]): unknown {
    if (callee instanceof Native) return callee.call(given);
    if (!(callee instanceof Closure)) {
      const isCallable = !isPrimitive(callee) && !(callee instanceof Plain) && !(callee instanceof Sym);
      return isCallable ? notEvaluated("this call") : raise();
    }
    if (++this.#calls > MOST_CALLS || ++this.#depth > MOST_DEPTH) notEvaluated("as many calls");
    const { node, scope } = callee;
    if (node.async || node.generator || (node.type === "FunctionExpression" && node.id))
      notEvaluated("a function expression with a name, an async function or a generator");
    const inner = new Scope(scope);
    inner.reserve(namesOf(node.params));
    node.params.forEach((pattern, index) => void bind(pattern, given[index], inner, false, this));
    const returned = this.#body(node, inner);
    this.#depth -= 1;
    return returned?.value;
  }

  #body(node: Closure["node"], scope: Scope): Returned | null {
    if (node.body.type === "BlockStatement") return this.#statements(node.body.body, new Scope(scope));
    this.at(node.body);
    return this.#returned(node.body, evaluated(node.body, scope, this));
  }

  #returned(node: AnyNode, value: unknown): Returned {
    this.at(node);
    this.#returnedAt = this.path.line;
    return { value };
  }

  /** The statements of a block. Functions that are declared among them exist from its beginning on. */
  #statements(nodes: readonly AnyNode[], scope: Scope): Returned | null {
    for (const node of nodes)
      if (node.type === "VariableDeclaration") scope.reserve(namesOf(node.declarations.map(({ id }) => id)));
      else if (node.type === "FunctionDeclaration") scope.declare(node.id!.name, new Closure(node, scope), false);
    for (const node of nodes) {
      const returned = this.#statement(node, scope);
      if (returned !== null) return returned;
    }
    return null;
  }

  #statement(node: Statement | AnyNode, scope: Scope): Returned | null {
    this.at(node);
    switch (node.type) {
      case "EmptyStatement":
      case "FunctionDeclaration":
        return null;
      case "ExpressionStatement":
        evaluated(node.expression, scope, this);
        return null;
      case "BlockStatement":
        return this.#statements(node.body, new Scope(scope));
      case "VariableDeclaration":
        if (node.kind !== "const" && node.kind !== "let") break;
        for (const { id, init } of node.declarations)
          bind(id, init ? evaluated(init, scope, this) : undefined, scope, node.kind === "const", this);
        return null;
      case "IfStatement":
        if (truthy(this.path, evaluated(node.test, scope, this))) return this.#statement(node.consequent, scope);
        return node.alternate ? this.#statement(node.alternate, scope) : null;
      case "ReturnStatement":
        return this.#returned(node, node.argument ? evaluated(node.argument, scope, this) : undefined);
    }
    return notEvaluated(`the syntax ${node.type}`);
  }
}

function namesOf(patterns: readonly Pattern[]): readonly string[] {
  const names: string[] = [];
  for (const pattern of patterns) addPatternNames(pattern, names);
  return names;
}
