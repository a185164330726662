import type { AnyNode, CallExpression, Pattern } from "acorn";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { Warning } from "../../warning.js";
import { elementOf, isFacts, type Kind, nameOf, propertiesOf, propertyOf } from "../model/fact-kinds.js";
import { RESULTS } from "../model/facts.gen.js";
import { type FunctionNode, isFunction } from "../syntax/nodes.js";
import { placeIn } from "../syntax/source.js";
import type { Value, Variable } from "../syntax/variable.js";
import { calledHelper } from "../units/called-helper.js";
import { hookFunction } from "../units/hook-function.js";
import { staticName, testedNames } from "../units/property-names.js";
import type { Unit } from "../units/units.js";

/**
 * Checks which properties of their parameters the hooks of a policy read. Throws POLICY_UNKNOWN_FACT for a fact that
 * does not exist, if the text shows it: in member chains and destructuring patterns with literal names. Any other read
 * of an unknown fact is a fault at run time. Returns a warning for each copy of facts, since reads of a copy are not
 * checked.
 *
 * `subjects` has the interface of each hook's subject. A fact that the file tests for anywhere (`"name" in prog`) is
 * not an error: it may be one of a newer version.
 */
export function checkFacts(
  units: readonly Unit[],
  hooks: readonly string[],
  subjects: Readonly<Record<string, Kind>>,
): Warning[] {
  const warnings: Warning[] = [];
  const files = new Map<Unit, Parameters>();
  for (const hook of hooks) {
    const found = hookFunction(units, hook);
    if (found === null) continue;
    // One function can serve several hooks with different subjects; then the kind is unknown.
    const parameters = files.get(found.unit) ?? new Map();
    const shared = parameters.get(found.node);
    const kind = shared === undefined || shared[0] === subjects[hook] ? subjects[hook] : undefined;
    files.set(found.unit, parameters.set(found.node, [kind, "Current"]));
  }
  for (const [unit, parameters] of files) new Reads(unit, parameters, warnings).check();
  return warnings;
}

/** The kinds of the parameters of hook functions. */
type Parameters = Map<FunctionNode, readonly (Kind | undefined)[]>;

/** Methods that call a function with an element as its first argument. */
const ITERATING: ReadonlySet<string> = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach map some".split(" "),
);

/** Kinds of texts and lists that are made from facts. An object made from these is a copy. */
const JSON_TEXT = "#text";
const ENTRIES = "#entries";
/** Functions that copy facts, with the kind of their first argument. */
const COPIES: Readonly<Record<string, Kind>> = { "JSON.parse": JSON_TEXT, "Object.fromEntries": ENTRIES };

/** Maximum number of references that are followed in a row, since references can form a cycle. */
const MAX_DEPTH = 48;

/** Reads of hook parameters in one file. */
class Reads {
  /** The kinds of expressions and variables; null if the kind is not known. */
  readonly #kinds = new Map<AnyNode | Variable, Kind | null>();
  #tested: ReadonlySet<string> | undefined;

  constructor(
    readonly unit: Unit,
    readonly parameters: Parameters,
    readonly warnings: Warning[],
  ) {}

  check(): void {
    for (const [{ params }, kinds] of this.parameters)
      for (const [index, pattern] of params.entries()) this.#checkPattern(pattern, kinds[index] ?? null);
    for (const node of this.unit.source.nodes) this.#check(node);
  }

  #check(node: AnyNode): void {
    switch (node.type) {
      case "MemberExpression": {
        // A property that is assigned to is not read.
        const name = this.unit.source.tree.assigned.has(node) ? null : staticName(node.property, node.computed);
        if (name !== null) this.#read(this.#kindOf(node.object), name, node.property);
        break;
      }
      case "VariableDeclarator":
        if (node.init) this.#checkPattern(node.id, this.#kindOf(node.init));
        break;
      case "AssignmentExpression":
        if (node.operator === "=") this.#checkPattern(node.left as Pattern, this.#kindOf(node.right));
        break;
      case "ForOfStatement":
        if (node.left.type === "VariableDeclaration")
          this.#checkPattern(node.left.declarations[0]!.id, element(this.#kindOf(node.right)));
        break;
      case "ObjectExpression":
        for (const property of node.properties)
          if (property.type === "SpreadElement") this.#warnOfCopy(property, this.#kindOf(property.argument));
        break;
      case "CallExpression":
        this.#checkCall(node);
        break;
    }
  }

  /** Checks the properties that a destructuring pattern reads from a value. */
  #checkPattern(pattern: Pattern, kind: Kind | null): void {
    if (kind === null) return;
    switch (pattern.type) {
      case "AssignmentPattern":
        this.#checkPattern(pattern.left, kind);
        break;
      case "ArrayPattern":
        for (const one of pattern.elements)
          if (one !== null && one.type !== "RestElement") this.#checkPattern(one, element(kind));
        break;
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type === "RestElement") this.#warnOfCopy(property, kind);
          else {
            const name = staticName(property.key, property.computed);
            if (name !== null) this.#checkPattern(property.value as Pattern, this.#read(kind, name, property.key));
          }
        }
        break;
    }
  }

  #checkCall(node: CallExpression): void {
    const [first, ...others] = node.arguments;
    if (first === undefined) return;
    if (isFunction(first) && first.params[0] !== undefined)
      this.#checkPattern(first.params[0], this.#kindOfParameter(first, 0, 0));
    const called = calledOf(node);
    const made = COPIES[called];
    if (made !== undefined && this.#kindOf(first) === made) this.#warn(node);
    if (called === "Object.assign") for (const other of others) this.#warnOfCopy(node, this.#kindOf(other));
  }

  #kindOf(node: AnyNode, depth = 0): Kind | null {
    return this.#remember(node, depth, () => {
      switch (node.type) {
        case "Identifier": {
          const variable = this.unit.variables.meant(node);
          return variable === undefined ? null : this.#kindOfVariable(variable, depth + 1);
        }
        case "ChainExpression":
          return this.#kindOf(node.expression, depth + 1);
        case "MemberExpression": {
          const name = staticName(node.property, node.computed);
          return name === null ? null : property(this.#kindOf(node.object, depth + 1), name);
        }
        case "CallExpression": {
          const helper = calledHelper(node.callee, this.unit);
          if (helper !== null) return Object.hasOwn(RESULTS, helper) ? RESULTS[helper]! : null;
          const first = node.arguments[0];
          const called = first === undefined ? "" : calledOf(node);
          if (called !== "JSON.stringify" && called !== "Object.entries") return null;
          const kind = this.#kindOf(first!, depth + 1);
          if (called === "JSON.stringify") return kind === null ? null : JSON_TEXT;
          return kind !== null && isFacts(kind) ? ENTRIES : null;
        }
        default:
          return null;
      }
    });
  }

  /**
   * The kind of a variable. Null if it is written more than once, since it can then be something else where it is read.
   */
  #kindOfVariable(variable: Variable, depth: number): Kind | null {
    const [value] = variable.values;
    if (value === undefined || variable.writes !== 1 || variable.isOpaque) return null;
    return this.#remember(variable, depth, () => this.#kindOfValue(value, depth + 1));
  }

  #kindOfValue(value: Value, depth: number): Kind | null {
    if (depth > MAX_DEPTH) return null;
    if ("expression" in value) return this.#kindOf(value.expression, depth);
    if ("object" in value) return property(this.#kindOfValue(value.object, depth + 1), value.key);
    if ("elementOf" in value) return element(this.#kindOfValue(value.elementOf, depth + 1));
    return this.#kindOfParameter(value.parameterOf, value.index, depth);
  }

  #kindOfParameter(node: AnyNode, index: number, depth: number): Kind | null {
    const kinds = this.parameters.get(node as FunctionNode);
    if (kinds !== undefined) return kinds[index] ?? null;
    const given = this.unit.variables.calledWith.get(node);
    if (given === undefined || given.index !== 0 || index !== 0) return null;
    const { callee } = given.call;
    if (callee.type !== "MemberExpression" || !ITERATING.has(staticName(callee.property, callee.computed) ?? ""))
      return null;
    return element(this.#kindOf(callee.object, depth + 1));
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

  /** The kind of a property that is read, or null. Throws POLICY_UNKNOWN_FACT. */
  #read(kind: Kind | null, name: string, node: AnyNode): Kind | null {
    if (kind === null || kind.startsWith("#")) return null;
    const found = propertyOf(kind, name);
    if (found !== undefined) return found;
    this.#tested ??= testedNames(this.unit.source);
    if (this.#tested.has(name)) return null;
    throw new CountersignError(
      "POLICY_UNKNOWN_FACT",
      `reads \`${clip(name)}\`, which ${nameOf(kind)} does not have${didYouMean(name, propertiesOf(kind))}`,
      {
        place: placeIn(this.unit.source, node),
        remedy: isFacts(kind)
          ? `correct the name, or ask for a fact of a newer version with \`"${clip(name)}" in\` the object first`
          : "correct the name",
      },
    );
  }

  #warnOfCopy(node: AnyNode, kind: Kind | null): void {
    if (kind !== null && isFacts(kind)) this.#warn(node);
  }

  #warn(node: AnyNode): void {
    this.warnings.push({
      code: "POLICY_COPIED_FACTS",
      message: "copies facts into a plain object, where a fact that does not exist reads as undefined",
      place: placeIn(this.unit.source, node),
      remedy: "read the facts from the subject or `current` itself",
    });
  }
}

/** The kind of a property; null also if the property does not exist. */
function property(kind: Kind | null, name: string): Kind | null {
  return kind === null || kind.startsWith("#") ? null : (propertyOf(kind, name) ?? null);
}

function element(kind: Kind | null): Kind | null {
  return kind === null ? null : elementOf(kind);
}

/** The called name, such as `JSON.parse`, or the empty string. */
function calledOf({ callee }: CallExpression): string {
  if (callee.type !== "MemberExpression" || callee.object.type !== "Identifier") return "";
  return `${callee.object.name}.${staticName(callee.property, callee.computed)}`;
}

function clip(name: string): string {
  return name.length > 64 ? `${name.slice(0, 63)}…` : name;
}
