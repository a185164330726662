import type { AnyNode, CallExpression, Literal } from "acorn";
import { NAMED_FACTS, RESULTS, SUBJECTS } from "../model/facts.gen.js";
import type { Value, Variable } from "../syntax/variable.js";
import { calledHelper } from "../units/called-helper.js";
import { hookFunction } from "../units/hook-function.js";
import type { Unit } from "../units/units.js";
import { keyOf, type Variables } from "../units/variables.js";

/**
 * The kind of a fact: an interface or a kind of name of vocabulary.ts, followed by one `[]` for each list around it.
 */
export type Kind = string;

/** The kind of the second parameter of all hook functions. */
const CURRENT: Kind = "Current";

/** Maximum number of references that are followed in a row, since references can form a cycle. */
const MAX_DEPTH = 48;

/** Methods that call a function with an element as its first argument. */
const ITERATING: ReadonlySet<string> = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach map some".split(" "),
);
/** Methods that return a list of elements of the same list. */
const LISTING: ReadonlySet<string> = new Set(
  "concat filter reverse slice sort toReversed toSorted toSpliced union values with".split(" "),
);
const ELEMENT: ReadonlySet<string> = new Set(["at", "find", "findLast", "pop", "shift"]);

/**
 * Static data flow of facts and string literals through one file: which fact an expression is, and which literals it
 * can be. Facts start at the parameters of hooks, strings at literals.
 */
export class NameFlow {
  readonly #kinds = new Map<AnyNode | Variable, Kind | null>();
  readonly #literals = new Map<AnyNode, readonly Literal[]>();
  readonly #held = new Map<Variable, readonly Literal[]>();
  readonly #elements = new Map<Variable, readonly Literal[]>();
  readonly #variables: Variables;
  readonly #unit: Unit;
  /** The kind of the first parameter of each hook function. */
  readonly #subjects = new Map<AnyNode, Kind | null>();

  /** Analyses the file with the index `unit`. Hook functions are also found through re-exports of other files. */
  constructor(units: readonly Unit[], unit: number, hooks: readonly string[]) {
    this.#variables = units[unit]!.variables;
    this.#unit = units[unit]!;
    for (const hook of hooks) {
      const kind: string | null = hook in SUBJECTS ? SUBJECTS[hook as keyof typeof SUBJECTS] : null;
      const found = hookFunction(units, hook)?.node;
      if (found === undefined) continue;
      // One function can serve several hooks with different subjects; then the kind is unknown.
      this.#subjects.set(found, this.#subjects.has(found) && this.#subjects.get(found) !== kind ? null : kind);
    }
  }

  /** The kind of fact of an expression; null if it is not known, or if the fact neither is nor contains a name. */
  kindOf(node: AnyNode, depth = 0): Kind | null {
    const known = this.#kinds.get(node);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return null;
    this.#kinds.set(node, null);
    const kind = this.#kind(node, depth + 1);
    this.#kinds.set(node, kind);
    return kind;
  }

  /** The string literals that can be the value of an expression. */
  literalsOf(node: AnyNode, depth = 0): readonly Literal[] {
    return this.#remember(node, depth, () => {
      switch (node.type) {
        case "Literal":
          return typeof node.value === "string" ? [node] : [];
        case "ConditionalExpression":
          return [...this.literalsOf(node.consequent, depth + 1), ...this.literalsOf(node.alternate, depth + 1)];
        case "Identifier":
          return this.#ofVariable(this.#held, node, depth, (value) => this.#literalsOfValue(value, depth + 1));
        default:
          return [];
      }
    });
  }

  /** The string literals that are elements of a list or a set. */
  elementsOf(node: AnyNode, depth = 0): readonly Literal[] {
    switch (node.type) {
      case "ArrayExpression":
        return this.#remember(node, depth, () =>
          node.elements.flatMap((element) => {
            if (element === null) return [];
            if (element.type === "SpreadElement") return [...this.elementsOf(element.argument, depth + 1)];
            return [...this.literalsOf(element, depth + 1)];
          }),
        );
      case "NewExpression":
      case "CallExpression": {
        const [first] = node.arguments;
        const isCopy = node.type === "NewExpression" ? isNamed(node.callee, "Set") : isFrozen(node);
        return first !== undefined && isCopy && depth < MAX_DEPTH ? this.elementsOf(first, depth + 1) : [];
      }
      case "Identifier":
        if (depth > MAX_DEPTH) return [];
        return this.#ofVariable(this.#elements, node, depth, (value) =>
          "expression" in value ? this.elementsOf(value.expression, depth + 1) : [],
        );
      default:
        return [];
    }
  }

  #remember(node: AnyNode, depth: number, find: () => readonly Literal[]): readonly Literal[] {
    const known = this.#literals.get(node);
    if (known !== undefined) return known;
    if (depth > MAX_DEPTH) return [];
    this.#literals.set(node, []);
    // visit each list once: nested lists that contain another list twice would take exponential time
    const found = [...new Set(find())];
    this.#literals.set(node, found);
    return found;
  }

  #ofVariable(
    known: Map<Variable, readonly Literal[]>,
    node: AnyNode,
    depth: number,
    find: (value: Value) => readonly Literal[],
  ): readonly Literal[] {
    const variable = this.#variables.meant(node);
    if (variable === undefined || depth > MAX_DEPTH) return [];
    const before = known.get(variable);
    if (before !== undefined) return before;
    known.set(variable, []);
    const found = [...new Set(variable.values.flatMap(find))];
    known.set(variable, found);
    return found;
  }

  #literalsOfValue(value: Value, depth: number): readonly Literal[] {
    if ("expression" in value) return this.literalsOf(value.expression, depth);
    if ("elementOf" in value)
      return "expression" in value.elementOf ? this.elementsOf(value.elementOf.expression, depth) : [];
    const list = "parameterOf" in value ? this.#iterated(value.parameterOf, value.index) : null;
    return list === null ? [] : this.elementsOf(list, depth);
  }

  /**
   * The list whose elements are passed to a callback as this parameter, by a method such as `map` or `find`; null if
   * there is none.
   */
  #iterated(callback: AnyNode, parameter: number): AnyNode | null {
    const given = this.#variables.calledWith.get(callback);
    if (given === undefined || given.index !== 0 || parameter !== 0) return null;
    const { callee } = given.call;
    if (callee.type !== "MemberExpression") return null;
    return ITERATING.has(keyOf(callee.property, callee.computed) ?? "") ? callee.object : null;
  }

  #kind(node: AnyNode, depth: number): Kind | null {
    switch (node.type) {
      case "Identifier": {
        const variable = this.#variables.meant(node);
        return variable === undefined ? null : this.#kindOfVariable(variable, depth);
      }
      case "MemberExpression":
        return propertyOf(this.kindOf(node.object, depth), keyOf(node.property, node.computed));
      case "ChainExpression":
        return this.kindOf(node.expression, depth);
      case "ConditionalExpression":
        return this.#same([node.consequent, node.alternate], depth);
      case "LogicalExpression":
        if (node.operator !== "&&" && isEmpty(node.right)) return this.kindOf(node.left, depth);
        return this.#same([node.left, node.right], depth);
      case "ArrayExpression":
        return this.#same(
          node.elements.map((element) => (element?.type === "SpreadElement" ? element.argument : null)),
          depth,
        );
      case "NewExpression":
        return isNamed(node.callee, "Set") && node.arguments[0] ? this.kindOf(node.arguments[0], depth) : null;
      case "CallExpression":
        return this.#kindOfCall(node, depth);
      default:
        return null;
    }
  }

  #kindOfCall({ callee, arguments: given }: CallExpression, depth: number): Kind | null {
    const helper = calledHelper(callee, this.#unit);
    if (helper !== null) return Object.hasOwn(RESULTS, helper) ? RESULTS[helper]! : null;
    if (callee.type !== "MemberExpression") return null;
    const method = keyOf(callee.property, callee.computed) ?? "";
    const [first] = given;
    if (first !== undefined && isNamed(callee.object, "Object")) {
      if (method === "freeze") return this.kindOf(first, depth);
      if (this.kindOf(first, depth) !== "Effects") return null;
      return method === "keys" ? "EffectName[]" : method === "entries" ? "EffectName[][]" : null;
    }
    if (first !== undefined && isNamed(callee.object, "Array") && method === "from") return this.kindOf(first, depth);
    const list = this.kindOf(callee.object, depth);
    if (list === null || !list.endsWith("[]")) return null;
    if (LISTING.has(method)) return list;
    if (ELEMENT.has(method)) return elementOf(list);
    if (method !== "map" || first?.type !== "ArrowFunctionExpression" || !first.expression) return null;
    const mapped = this.kindOf(first.body, depth);
    return mapped === null ? null : `${mapped}[]`;
  }

  #kindOfVariable(variable: Variable, depth: number): Kind | null {
    const known = this.#kinds.get(variable);
    if (known !== undefined) return known;
    this.#kinds.set(variable, null);
    const kinds = variable.isOpaque ? [] : variable.values.map((value) => this.#kindOfValue(value, depth));
    const kind = kinds.length > 0 && kinds.every((one) => one === kinds[0]) ? kinds[0]! : null;
    this.#kinds.set(variable, kind);
    return kind;
  }

  #kindOfValue(value: Value, depth: number): Kind | null {
    if (depth > MAX_DEPTH) return null;
    if ("expression" in value) return this.kindOf(value.expression, depth + 1);
    if ("object" in value) return propertyOf(this.#kindOfValue(value.object, depth + 1), value.key);
    if ("elementOf" in value) return elementOf(this.#kindOfValue(value.elementOf, depth + 1));
    return this.#kindOfParameter(value.parameterOf, value.index, depth + 1);
  }

  #kindOfParameter(node: AnyNode, index: number, depth: number): Kind | null {
    if (this.#subjects.has(node)) return [this.#subjects.get(node)!, CURRENT][index] ?? null;
    const list = this.#iterated(node, index);
    if (list !== null) return elementOf(this.kindOf(list, depth));
    const holder = this.#variables.holders.get(node);
    if (holder === undefined || holder.isOpaque || holder.values.length !== 1) return null;
    // A function that is also used as a value can be called with any arguments.
    const calls = this.#variables.calls.get(holder) ?? [];
    if (calls.length !== holder.reads) return null;
    return this.#same(
      calls.map((call) => call.arguments[index] ?? null),
      depth,
    );
  }

  #same(nodes: readonly (AnyNode | null)[], depth: number): Kind | null {
    const [first] = nodes;
    if (first === undefined || first === null) return null;
    const kind = this.kindOf(first, depth);
    return nodes.every((node) => node !== null && this.kindOf(node, depth) === kind) ? kind : null;
  }
}

function propertyOf(kind: Kind | null, key: string | null): Kind | null {
  if (kind === null) return null;
  if (kind.endsWith("[]")) return key === null ? elementOf(kind) : null;
  const facts = Object.hasOwn(NAMED_FACTS, kind) ? NAMED_FACTS[kind]! : {};
  return key !== null && Object.hasOwn(facts, key) ? facts[key]! : null;
}

function elementOf(kind: Kind | null): Kind | null {
  return kind?.endsWith("[]") ? kind.slice(0, -2) : null;
}

function isNamed(node: AnyNode, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

function isFrozen({ callee }: CallExpression): boolean {
  return (
    callee.type === "MemberExpression" &&
    isNamed(callee.object, "Object") &&
    keyOf(callee.property, callee.computed) === "freeze"
  );
}

function isEmpty(node: AnyNode): boolean {
  return node.type === "Literal" && (node.value === "" || node.value === null);
}
