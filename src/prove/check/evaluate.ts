import type { AnyNode } from "acorn";
import type { PolicyFiles } from "../../engine/load/loader.js";
import type { HookName } from "../../hooks/catalogue.js";
import { droppedCalls } from "../../policy/checks/denials.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits, type Unit } from "../../policy/units/units.js";
import { bind, type Evaluation, evaluated, MAP, OBJECT, SET, TO_JSON } from "./expressions.js";
import { settled, view } from "./facts.js";
import { type Answered, Helpers } from "./helpers.js";
import { assignedIn, listName, loopOver } from "./loops.js";
import { compares, integerWithin, isEqual, truthy } from "./operators.js";
import { attempt, ERROR, notEvaluated, type Path, raise, Stop } from "./path.js";
import { Closure, constant, isPrimitive, Native, type NodeOf, type Plain, Scope, Sym } from "./value.js";

/** A policy's files in the order in which they run, with the calls whose value is dropped. */
export interface EvaluatedPolicy {
  readonly units: readonly Unit[];
  readonly dropped: ReadonlySet<AnyNode>;
  /** The file of each node. */
  readonly fileOf: ReadonlyMap<AnyNode, Unit>;
}

export function evaluatedPolicy({ file, files }: PolicyFiles): EvaluatedPolicy {
  const units = readUnits(file, files, new LinkTime(file));
  const dropped = droppedCalls(units).flatMap(({ calls, callbacks }) => [...calls, ...callbacks]);
  const fileOf = new Map(units.flatMap((unit) => unit.source.nodes.map((node) => [node, unit] as const)));
  return { units, dropped: new Set(dropped), fileOf };
}

/** The subject and the caller of the decision, as policies get them. */
export function givenTo({ declarations: { argument, subject, current } }: Path): readonly [Sym, Sym] {
  return [
    new Sym({ kind: "object", name: argument, fields: subject, isSubject: true }),
    new Sym({ kind: "object", name: "current", fields: current, isSubject: false }),
  ];
}

/** How a statement ends the function. */
type Returned = { readonly value: unknown };

/** How `break` ends the `switch` around it. */
const BROKEN: Returned = { value: undefined };

/** How `continue` ends a pass of the loop around it. */
const CONTINUED: Returned = { value: undefined };

const GLOBAL = new Scope(null);
GLOBAL.declare("undefined", undefined, true);
for (const [name, value] of Object.entries({ Set: SET, Map: MAP, JSON: TO_JSON, Object: OBJECT }))
  GLOBAL.declare(name, value, true);
const WITHOUT_EFFECT = ["EmptyStatement", "FunctionDeclaration", "ImportDeclaration", "ExportAllDeclaration"];
const MOST_CALLS = 10_000;
const MOST_DEPTH = 100;

/** Evaluates a policy under the conditions of a path, up to the first condition that they do not decide. */
export class Evaluator implements Evaluation {
  readonly #helpers: Helpers;
  readonly #scopes = new Map<Unit, Scope>();
  #unit: Unit;
  #calls = 0;
  #depth = 0;
  /** The line at which the last function returned. */
  #returnedAt = "";

  constructor(
    readonly policy: EvaluatedPolicy,
    readonly path: Path,
    decision: ((key: string) => Plain) | null = null,
    canWrite = false,
  ) {
    this.#unit = policy.units[0]!;
    this.#helpers = new Helpers(path, canWrite);
    this.#helpers.decision = decision;
  }

  /** What an exported function returns. */
  exported(name: string, given: readonly unknown[]): unknown {
    for (const unit of this.policy.units) this.#run(unit);
    const value = this.call(this.#export(this.policy.units.at(-1)!, name), given);
    this.path.line = this.#returnedAt;
    return value;
  }

  answer(hook: HookName, given: readonly unknown[]): Answered {
    const returned = attempt(Stop, () => this.#answer(this.exported(hook, given)));
    if (!(returned instanceof Stop)) return returned;
    if (!("fault" in returned.why)) throw returned;
    return { verdict: null, reason: null, ...returned.why, line: this.path.line };
  }

  #answer(value: unknown): Answered {
    const { path } = this;
    const verdict = integerWithin(path, value, -4095n, 0n);
    if (verdict === null) throw new Stop({ fault: "BAD_RETURN_VALUE" });
    if (compares(path, verdict)) return { verdict: constant(0n), reason: null, fault: null, line: path.line };
    return { reason: null, line: path.line, ...this.#helpers.denialWith(verdict), verdict, fault: null };
  }

  /** Runs a file. */
  #run(unit: Unit): void {
    const { bindings, targets, source } = unit;
    const scope = new Scope(GLOBAL);
    this.#scopes.set(unit, scope);
    for (const [local, name] of bindings.guest) scope.declare(local, this.#helpers.read(name), true);
    for (const { local, from, name } of bindings.imports)
      scope.declare(local, this.#export(this.policy.units[targets.get(from)!]!, name), true);
    const declared = (node: AnyNode) => (node.type === "ExportNamedDeclaration" ? (node.declaration ?? []) : node);
    this.#block(source.program.body.flatMap(declared), scope);
  }

  /** What a file that has run exports. */
  #export(unit: Unit, name: string): unknown {
    const { local, from, name: other } = unit.exports.get(name) ?? notEvaluated("`import * as`");
    if (from !== null) return this.#export(this.policy.units[unit.targets.get(from)!]!, other);
    return this.#scopes.get(unit)!.read(local!);
  }

  at(node: AnyNode): void {
    // Parts of patterns are not among the nodes of a file: they are in that of the statement around them
    this.#unit = this.policy.fileOf.get(node) ?? this.#unit;
    const { file, lines } = this.#unit.source;
    this.path.line = `${file}:${lines.positionAt(node.start).line}`;
  }

  call(callee: unknown, given: readonly unknown[]): unknown {
    if (typeof callee === "function") return callee(given);
    // Nothing that is not known is a function
    if (view(this.path, callee) instanceof Sym) return raise();
    if (!(callee instanceof Closure)) return isPrimitive(callee) ? raise() : notEvaluated("this call");
    if (++this.#calls > MOST_CALLS || ++this.#depth > MOST_DEPTH) notEvaluated("as many calls");
    const { node, scope } = callee;
    if (node.async || node.generator || (node.type === "FunctionExpression" && node.id))
      notEvaluated("a function expression with a name, an async function or a generator");
    const inner = new Scope(scope);
    inner.reserve(node.params);
    node.params.forEach((pattern, index) => void bind(pattern, given[index], inner, false, this));
    const { body } = node;
    try {
      if (body.type === "BlockStatement") return this.#block(body.body, new Scope(inner))?.value;
      return this.#returned(body, evaluated(body, inner, this)).value;
    } finally {
      this.#depth -= 1;
    }
  }

  #returned(node: AnyNode, value: unknown): Returned {
    this.at(node);
    this.#returnedAt = this.path.line;
    return { value };
  }

  /** Declares the names of a block. Functions that are declared in it exist from its beginning on. */
  #declare(nodes: readonly AnyNode[], scope: Scope): void {
    for (const node of nodes)
      if (node.type === "VariableDeclaration") scope.reserve(node.declarations.map(({ id }) => id));
      else if (node.type === "FunctionDeclaration") scope.declare(node.id!.name, new Closure(node, scope), false);
  }

  #block(nodes: readonly AnyNode[], scope: Scope): Returned | null {
    this.#declare(nodes, scope);
    return this.#statements(nodes, scope);
  }

  #statements(nodes: readonly AnyNode[], scope: Scope): Returned | null {
    for (const node of nodes) {
      const returned = this.#statement(node, scope);
      if (returned !== null) return returned;
    }
    return null;
  }

  #statement(node: AnyNode, scope: Scope): Returned | null {
    this.at(node);
    if (WITHOUT_EFFECT.includes(node.type)) return null;
    switch (node.type) {
      case "ExpressionStatement":
        evaluated(node.expression, scope, this);
        return null;
      case "BlockStatement":
        return this.#block(node.body, new Scope(scope));
      case "VariableDeclaration":
        if (node.kind !== "const" && node.kind !== "let") break;
        for (const { id, init } of node.declarations)
          bind(id, init ? evaluated(init, scope, this) : undefined, scope, node.kind === "const", this);
        return null;
      case "IfStatement":
        if (truthy(this.path, evaluated(node.test, scope, this))) return this.#statement(node.consequent, scope);
        return node.alternate ? this.#statement(node.alternate, scope) : null;
      case "SwitchStatement":
        return this.#switch(node, new Scope(scope), evaluated(node.discriminant, scope, this));
      case "BreakStatement":
        return node.label ? notEvaluated("a label") : BROKEN;
      case "ContinueStatement":
        return node.label ? notEvaluated("a label") : CONTINUED;
      case "ForOfStatement":
        return this.#loop(node, scope);
      case "TryStatement":
        return this.#try(node, scope);
      case "ReturnStatement":
        return this.#returned(node, node.argument ? evaluated(node.argument, scope, this) : undefined);
    }
    return notEvaluated(`the syntax ${node.type}`);
  }

  /** A loop over an array that the policy wrote, which nothing changes, or over a list. */
  #loop({ left, right, body, await: isAwait }: NodeOf<"ForOfStatement">, scope: Scope): Returned | null {
    if (left.type !== "VariableDeclaration" || left.kind === "var" || isAwait) return notEvaluated("this loop");
    const inner = new Scope(scope);
    inner.reserve(left.declarations.map(({ id }) => id));
    const array = settled(this.path, evaluated(right, inner, this));
    const passed = (one: unknown) => {
      const pass = new Scope(scope);
      bind(left.declarations[0]!.id, one, pass, left.kind === "const", this);
      const returned = this.#statement(body, pass);
      return returned === CONTINUED ? null : returned;
    };
    if (listName(this.path, array) !== null) return this.#loopOverList(array as Sym, body, scope, passed);
    if (!Array.isArray(array)) return notEvaluated("a loop over anything else than an array or a list");
    for (const one of array) {
      const returned = passed(one);
      if (returned !== null) return returned === BROKEN ? null : returned;
    }
    return null;
  }

  #loopOverList(list: Sym, body: AnyNode, scope: Scope, passed: (one: unknown) => Returned | null): Returned | null {
    let last: Returned | null = null;
    const pass = (one: unknown) => {
      const leaves = this.#helpers.withoutDenials(this.path.element !== null, () => {
        last = passed(one);
        return last !== null;
      });
      return { leaves };
    };
    const names = assignedIn(body, this.policy.fileOf.get(body)!.source.nodes);
    const isLeft = loopOver(this.path, list, scope.among(names), pass);
    return isLeft && last !== BROKEN ? last : null;
  }

  /** What an error of JavaScript ends goes on in the handler; faults of facts and limits cannot be caught. */
  #try({ block, handler, finalizer }: NodeOf<"TryStatement">, scope: Scope): Returned | null {
    if (!handler || finalizer) return notEvaluated("`finally`");
    const its = attempt(Stop, () => this.#block(block.body, new Scope(scope)));
    if (!(its instanceof Stop)) return its;
    if (!("fault" in its.why) || its.why.fault !== ERROR) throw its;
    const inner = new Scope(scope);
    if (handler.param) bind(handler.param, new Native("", () => notEvaluated("an error")), inner, false, this);
    return this.#block(handler.body.body, inner);
  }

  /** The cases have one scope; without a case that is equal, `default` is chosen, wherever it is. */
  #switch({ cases }: NodeOf<"SwitchStatement">, scope: Scope, value: unknown): Returned | null {
    const within = (some: typeof cases) => some.flatMap(({ consequent }) => consequent);
    this.#declare(within(cases), scope);
    const equal = cases.findIndex(({ test }) => test && isEqual(this.path, value, evaluated(test, scope, this)));
    const chosen = equal >= 0 ? equal : cases.findIndex(({ test }) => !test);
    const returned = chosen >= 0 ? this.#statements(within(cases.slice(chosen)), scope) : null;
    return returned === BROKEN ? null : returned;
  }
}
