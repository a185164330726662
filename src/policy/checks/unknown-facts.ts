import type { AnyNode, CallExpression, Pattern } from "acorn";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { Warning } from "../../warning.js";
import { isFacts, type Kind, nameOf, propertiesOf, propertyOf } from "../model/fact-kinds.js";
import { isFunction } from "../syntax/nodes.js";
import { placeIn } from "../syntax/source.js";
import { calledOf, ENTRIES, element, FactFlow, JSON_TEXT, type Parameters } from "../units/fact-flow.js";
import { staticName, testedNames } from "../units/property-names.js";
import type { Unit } from "../units/units.js";

/**
 * Checks which properties of their parameters functions read: the hooks of a policy, or a property of `prove property`.
 * Throws POLICY_UNKNOWN_FACT for a fact that does not exist, if the text shows it: in member chains and destructuring
 * patterns with literal names. Any other read of an unknown fact is a fault at run time. Returns a warning for each
 * copy of facts, since reads of a copy are not checked.
 *
 * A fact that the file tests for anywhere (`"name" in prog`) is not an error: it may be one of a newer version.
 */
export function checkFacts(functions: ReadonlyMap<Unit, Parameters>): Warning[] {
  const warnings: Warning[] = [];
  for (const [unit, parameters] of functions) new Reads(unit, parameters, warnings).check();
  return warnings;
}

/** Functions that copy facts, with the kind of their first argument. */
const COPIES: Readonly<Record<string, Kind>> = { "JSON.parse": JSON_TEXT, "Object.fromEntries": ENTRIES };

/** Reads of parameters in one file. */
class Reads {
  readonly #flow: FactFlow;
  #tested: ReadonlySet<string> | undefined;

  constructor(
    readonly unit: Unit,
    readonly parameters: Parameters,
    readonly warnings: Warning[],
  ) {
    this.#flow = new FactFlow(unit, parameters);
  }

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
        if (name !== null) this.#read(this.#flow.kindOf(node.object), name, node.property);
        break;
      }
      case "VariableDeclarator":
        if (node.init) this.#checkPattern(node.id, this.#flow.kindOf(node.init));
        break;
      case "AssignmentExpression":
        if (node.operator === "=") this.#checkPattern(node.left as Pattern, this.#flow.kindOf(node.right));
        break;
      case "ForOfStatement":
        if (node.left.type === "VariableDeclaration")
          this.#checkPattern(node.left.declarations[0]!.id, element(this.#flow.kindOf(node.right)));
        break;
      case "ObjectExpression":
        for (const property of node.properties)
          if (property.type === "SpreadElement") this.#warnOfCopy(property, this.#flow.kindOf(property.argument));
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
      this.#checkPattern(first.params[0], this.#flow.kindOfParameter(first, 0));
    const called = calledOf(node);
    const made = COPIES[called];
    if (made !== undefined && this.#flow.kindOf(first) === made) this.#warn(node);
    if (called === "Object.assign") for (const other of others) this.#warnOfCopy(node, this.#flow.kindOf(other));
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

function clip(name: string): string {
  return name.length > 64 ? `${name.slice(0, 63)}…` : name;
}
