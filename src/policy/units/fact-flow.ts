import type { AnyNode, CallExpression } from "acorn";
import { elementOf, isCallable, isFacts, KINDS, type Kind, propertyOf } from "../model/fact-kinds.js";
import { RESULTS } from "../model/facts.gen.js";
import type { FunctionNode } from "../syntax/nodes.js";
import type { Value, Variable } from "../syntax/variable.js";
import { calledHelper } from "./called-helper.js";
import { hookFunction } from "./hook-function.js";
import { staticName } from "./property-names.js";
import type { Unit } from "./units.js";

/** The kinds of the parameters of functions that the engine or the prover calls. */
export type Parameters = ReadonlyMap<FunctionNode, readonly (Kind | undefined)[]>;

/**
 * The parameters of the hook functions in each file that has some. `subjects` has the interface of each hook's subject.
 */
export function hookParameters(
  units: readonly Unit[],
  hooks: readonly string[],
  subjects: Readonly<Record<string, Kind>>,
): ReadonlyMap<Unit, Parameters> {
  return functionParameters(
    units,
    hooks.map((hook) => [hook, [subjects[hook], "Current"]]),
  );
}

/** The parameters of exported functions in each file that has some, from the kinds of each by its name. */
export function functionParameters(
  units: readonly Unit[],
  functions: readonly (readonly [name: string, kinds: readonly (Kind | undefined)[]])[],
): ReadonlyMap<Unit, Parameters> {
  const files = new Map<Unit, Map<FunctionNode, readonly (Kind | undefined)[]>>();
  for (const [name, kinds] of functions) {
    const found = hookFunction(units, name);
    if (found === null) continue;
    // One function can have several names, such as hooks with different subjects; then the kind is unknown.
    const parameters = files.get(found.unit) ?? new Map();
    const shared = parameters.get(found.node) ?? kinds;
    const common = kinds.map((kind, index) => (kind === shared[index] ? kind : undefined));
    files.set(found.unit, parameters.set(found.node, common));
  }
  return files;
}

/** Methods that call a function with an element as its first argument. */
const ITERATING: ReadonlySet<string> = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach map some".split(" "),
);

/** Kinds of texts and lists that are made from facts. An object made from these is a copy. */
export const JSON_TEXT = "#text";
export const ENTRIES = "#entries";

/** Maximum number of references that are followed in a row, since references can form a cycle. */
const MAX_DEPTH = 48;

/** Helpers whose result can be null or undefined. */
const ABSENT: ReadonlySet<string> = new Set([...Object.keys(RESULTS), "map_lookup"]);

/** Static data flow of facts through one file: which fact an expression is. Facts start at the parameters of hooks. */
export class FactFlow {
  /** The kinds of expressions and variables; null if the kind is not known. */
  readonly #kinds = new Map<AnyNode | Variable, Kind | null>();

  constructor(
    private readonly unit: Unit,
    private readonly parameters: Parameters,
  ) {}

  /** The kind of an expression, without the mark `?`; null if it is not known. */
  kindOf(node: AnyNode, depth = 0): Kind | null {
    return this.#remember(node, depth, () => {
      switch (node.type) {
        case "Identifier": {
          const variable = this.unit.variables.meant(node);
          return variable === undefined ? null : this.#kindOfVariable(variable, depth + 1);
        }
        case "ChainExpression":
          return this.kindOf(node.expression, depth + 1);
        case "MemberExpression": {
          const name = staticName(node.property, node.computed);
          return name === null ? null : property(this.kindOf(node.object, depth + 1), name);
        }
        case "CallExpression": {
          const helper = calledHelper(node.callee, this.unit);
          if (helper !== null) return Object.hasOwn(RESULTS, helper) ? RESULTS[helper]! : null;
          const first = node.arguments[0];
          const callee = this.kindOf(node.callee, depth + 1);
          if (callee === "same()") return first === undefined ? null : this.kindOf(first, depth + 1);
          if (callee !== null && isCallable(callee)) return callee.slice(0, -2);
          const called = first === undefined ? "" : calledOf(node);
          if (called !== "JSON.stringify" && called !== "Object.entries") return null;
          const kind = this.kindOf(first!, depth + 1);
          if (called === "JSON.stringify") return kind === null ? null : JSON_TEXT;
          return kind !== null && isFacts(kind) ? ENTRIES : null;
        }
        default:
          return null;
      }
    });
  }

  /** The kind of a function's parameter: of a hook, or the element that a method such as `map` passes to a callback. */
  kindOfParameter(node: AnyNode, index: number, depth = 0): Kind | null {
    const kinds = this.parameters.get(node as FunctionNode);
    if (kinds !== undefined) return kinds[index] ?? null;
    const given = this.unit.variables.calledWith.get(node);
    if (given === undefined || given.index !== 0 || index !== 0) return null;
    const { callee } = given.call;
    if (callee.type !== "MemberExpression" || !ITERATING.has(staticName(callee.property, callee.computed) ?? ""))
      return null;
    return element(this.kindOf(callee.object, depth + 1));
  }

  /**
   * Names what an expression is if it can be null or undefined: a fact as `Current.container`, the result of a helper
   * as `signer_of()`. Null for any other expression.
   */
  nullableOf(node: AnyNode, depth = 0): string | null {
    if (depth > MAX_DEPTH) return null;
    switch (node.type) {
      case "ChainExpression":
        return this.nullableOf(node.expression, depth + 1);
      case "MemberExpression": {
        const name = staticName(node.property, node.computed);
        return name === null ? null : nullableFact(this.kindOf(node.object), name);
      }
      case "CallExpression": {
        const helper = calledHelper(node.callee, this.unit);
        return helper !== null && ABSENT.has(helper) ? `${helper}()` : null;
      }
      case "Identifier": {
        const value = onlyValue(this.unit.variables.meant(node));
        if (value === null) return null;
        if ("expression" in value) return this.nullableOf(value.expression, depth + 1);
        return "object" in value ? nullableFact(this.#kindOfValue(value.object, 0), value.key) : null;
      }
      default:
        return null;
    }
  }

  /** Whether an expression is an element of a list of facts: it is undefined where the list is shorter. */
  isElement(node: AnyNode, depth = 0): boolean {
    if (depth > MAX_DEPTH) return false;
    switch (node.type) {
      case "ChainExpression":
        return this.isElement(node.expression, depth + 1);
      case "MemberExpression":
        return isList(this.kindOf(node.object));
      case "Identifier": {
        const value = onlyValue(this.unit.variables.meant(node));
        if (value === null) return false;
        if ("expression" in value) return this.isElement(value.expression, depth + 1);
        return "elementOf" in value || ("object" in value && isList(this.#kindOfValue(value.object, 0)));
      }
      default:
        return false;
    }
  }

  #kindOfVariable(variable: Variable, depth: number): Kind | null {
    const value = onlyValue(variable);
    return value === null ? null : this.#remember(variable, depth, () => this.#kindOfValue(value, depth + 1));
  }

  #kindOfValue(value: Value, depth: number): Kind | null {
    if (depth > MAX_DEPTH) return null;
    if ("expression" in value) return this.kindOf(value.expression, depth);
    if ("object" in value) return property(this.#kindOfValue(value.object, depth + 1), value.key);
    if ("elementOf" in value) return element(this.#kindOfValue(value.elementOf, depth + 1));
    return this.kindOfParameter(value.parameterOf, value.index, depth);
  }

  #remember(key: AnyNode | Variable, depth: number, find: () => Kind | null): Kind | null {
    const known = this.#kinds.get(key);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return null;
    this.#kinds.set(key, null);
    const kind = find();
    this.#kinds.set(key, kind);
    return kind;
  }
}

/** The kind of a property; null also if the property does not exist. */
function property(kind: Kind | null, name: string): Kind | null {
  return kind === null || kind.startsWith("#") ? null : (propertyOf(kind, name) ?? null);
}

/** The kind of an array's elements; null if the kind is not an array. */
export function element(kind: Kind | null): Kind | null {
  return kind === null ? null : elementOf(kind);
}

const isList = (kind: Kind | null): boolean => kind?.endsWith("[]") === true;

function nullableFact(kind: Kind | null, name: string): string | null {
  if (kind === null || !isFacts(kind)) return null;
  const facts: Readonly<Record<string, Kind>> = KINDS[kind];
  return Object.hasOwn(facts, name) && facts[name]!.endsWith("?") ? `${kind}.${name}` : null;
}

/** The value of a variable that is written once: one that is written again can be something else where it is read. */
function onlyValue(variable: Variable | undefined): Value | null {
  if (variable === undefined || variable.writes !== 1 || variable.isOpaque) return null;
  return variable.values[0] ?? null;
}

/** The called name, such as `JSON.parse`, or the empty string. */
export function calledOf({ callee }: CallExpression): string {
  if (callee.type !== "MemberExpression" || callee.object.type !== "Identifier") return "";
  return `${callee.object.name}.${staticName(callee.property, callee.computed)}`;
}
