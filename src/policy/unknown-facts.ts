import type { AnyNode, CallExpression, Expression, Function as FunctionNode, Pattern, Property } from "acorn";
import { base } from "acorn-walk";
import { CountersignError } from "../error.js";
import type { Warning } from "../warning.js";
import { elementOf, isFacts, type Kind, nameOf, propertiesOf, propertyOf } from "./fact-kinds.js";
import { didYouMean } from "./nearest.js";
import { staticName, testedNames } from "./property-names.js";
import { placeIn, type Source } from "./source.js";
import type { Unit } from "./units.js";

/**
 * Checks what the hooks of a policy read of their parameters. Throws POLICY_UNKNOWN_FACT for a fact that does not exist, where
 * that can be seen in the text: in member chains and destructuring patterns with literal names. Other reads of
 * unknown facts are faults when they happen. Returns a warning for each copy of facts, since nothing of a copy is checked.
 *
 * `subjects` has the interface of each hook's subject. A fact is taken for one of a newer version if the file asks for it
 * anywhere: `"name" in prog`.
 */
export function checkFacts(
  units: readonly Unit[],
  hooks: readonly string[],
  subjects: Readonly<Record<string, Kind>>,
): Warning[] {
  const warnings: Warning[] = [];
  const checked = new Set<FunctionNode>();
  for (const hook of hooks) {
    const found = functionOf(units, units.at(-1)!, hook);
    if (found === null) continue;
    // one function can serve several hooks, whose subjects need not be alike
    const shared = hooks.filter((other) => functionOf(units, units.at(-1)!, other)?.node === found.node);
    const kinds = new Set(shared.map((one) => subjects[one]));
    if (checked.has(found.node)) continue;
    checked.add(found.node);
    const parameters = [kinds.size === 1 ? [...kinds][0] : undefined, "Current"];
    new Reads(found.source, found.node, parameters, warnings).check();
  }
  return warnings;
}

interface Found {
  readonly source: Source;
  readonly node: FunctionNode;
}

/** The function that an export stands for, as far as the text tells. */
function functionOf(units: readonly Unit[], unit: Unit, name: string): Found | null {
  const exported = unit.exports.get(name);
  if (exported === undefined) return null;
  const { from, local } = exported;
  if (from !== null) return functionOf(units, units[unit.targets.get(from)!]!, exported.name);
  const imported = unit.bindings.imports.find((one) => one.local === local);
  if (imported !== undefined) return functionOf(units, units[unit.targets.get(imported.from)!]!, imported.name);
  for (const statement of unit.source.program.body) {
    const node = "declaration" in statement && statement.declaration ? statement.declaration : statement;
    if (node.type === "FunctionDeclaration" && node.id?.name === local) return { source: unit.source, node };
    if (node.type !== "VariableDeclaration" || node.kind !== "const") continue;
    for (const { id, init } of node.declarations)
      if (id.type === "Identifier" && id.name === local && isFunction(init)) return { source: unit.source, node: init };
  }
  return null;
}

function isFunction(node: AnyNode | null | undefined): node is FunctionNode & Expression {
  return node?.type === "ArrowFunctionExpression" || node?.type === "FunctionExpression";
}

type Visit = (node: AnyNode, state: undefined, as?: string) => void;
const within = base as unknown as Readonly<Record<string, (node: AnyNode, state: undefined, visit: Visit) => void>>;

/** Methods that call a function with an element as its first argument. */
const ITERATING: ReadonlySet<string> = new Set(
  "every filter find findIndex findLast findLastIndex flatMap forEach map some".split(" "),
);

/** Texts and lists made from facts: an object made from these is a copy. */
const JSON_TEXT = "#text";
const ENTRIES = "#entries";

/** The reads within one function. Each node is visited once, behind those within it. */
class Reads {
  /** What expressions come to, as far as it is known: kinds of facts. */
  readonly #kinds = new Map<AnyNode, Kind>();
  readonly #variables = new Map<string, Kind>();
  /** How often each name is declared or assigned to within the function. */
  readonly #written = new Map<string, number>();
  readonly #topLevel: ReadonlySet<string>;
  #tested: ReadonlySet<string> | undefined;

  constructor(
    readonly source: Source,
    readonly node: FunctionNode,
    readonly parameters: readonly (Kind | undefined)[],
    readonly warnings: Warning[],
  ) {
    this.#topLevel = topLevelNames(source);
  }

  check(): void {
    this.#countWrites();
    this.parameters.forEach((kind, index) => {
      const pattern = this.node.params[index];
      if (pattern !== undefined) this.#bind(pattern, kind ?? null, true);
    });
    within[this.node.type]!(this.node as AnyNode, undefined, this.#visit);
  }

  #countWrites(): void {
    const count = (name: string) => this.#written.set(name, (this.#written.get(name) ?? 0) + 1);
    const visit: Visit = (node, state, as) => {
      if (as === "VariablePattern" && node.type === "Identifier") count(node.name);
      if (as === undefined && node.type === "UpdateExpression" && node.argument.type === "Identifier")
        count(node.argument.name);
      within[as ?? node.type]!(node, state, visit);
    };
    visit(this.node as AnyNode, undefined);
  }

  readonly #visit: Visit = (node, state, as) => {
    if (as === undefined && node.type === "ForOfStatement") {
      this.#visit(node.right, state);
      if (node.left.type === "VariableDeclaration") {
        this.#bind(node.left.declarations[0]!.id, elementOf(this.#kinds.get(node.right) ?? ""));
        this.#visit(node.left, state);
      } else this.#visit(node.left, state, "Pattern");
      this.#visit(node.body, state);
    } else if (as === undefined && node.type === "CallExpression") {
      this.#visit(node.callee, state);
      this.#bindCallback(node);
      for (const argument of node.arguments) this.#visit(argument, state);
      this.#noteCall(node);
    } else if (as === "MemberPattern" && node.type === "MemberExpression") {
      // what is assigned to is not read
      this.#visit(node.object, state);
      if (node.computed) this.#visit(node.property, state);
    } else {
      within[as ?? node.type]!(node, state, this.#visit);
      if (as === undefined) this.#note(node);
    }
  };

  #note(node: AnyNode): void {
    switch (node.type) {
      case "Identifier":
        this.#set(node, this.#variables.get(node.name));
        break;
      case "ChainExpression":
        this.#set(node, this.#kinds.get(node.expression));
        break;
      case "MemberExpression": {
        const name = staticName(node.property, node.computed);
        if (name !== null) this.#set(node, this.#read(this.#kinds.get(node.object), name, node.property));
        break;
      }
      case "VariableDeclarator":
        if (node.init) this.#bind(node.id, this.#kinds.get(node.init) ?? null);
        break;
      case "AssignmentExpression":
        if (node.left.type === "ObjectPattern" || node.left.type === "ArrayPattern")
          this.#bind(node.left, this.#kinds.get(node.right) ?? null);
        break;
      case "ObjectExpression":
        for (const property of node.properties)
          if (property.type === "SpreadElement") this.#warnOfCopy(property, this.#kinds.get(property.argument));
        break;
    }
  }

  #set(node: AnyNode, kind: Kind | null | undefined): void {
    if (kind !== undefined && kind !== null) this.#kinds.set(node, kind);
  }

  /** Gives the names of a pattern their kinds, and checks those that it takes out. */
  #bind(pattern: Pattern, kind: Kind | null, isParameter = false): void {
    if (kind === null) return;
    switch (pattern.type) {
      case "Identifier":
        // otherwise the name can mean something else where it is read: a block's own variable is not visible behind the block
        if (this.#written.get(pattern.name) === 1 && (isParameter || !this.#topLevel.has(pattern.name)))
          this.#variables.set(pattern.name, kind);
        break;
      case "AssignmentPattern":
        this.#bind(pattern.left, kind, isParameter);
        break;
      case "ArrayPattern":
        for (const element of pattern.elements)
          if (element !== null && element.type !== "RestElement") this.#bind(element, elementOf(kind), isParameter);
        break;
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type === "RestElement") this.#warnOfCopy(property, kind);
          else this.#bindProperty(property as Property & { value: Pattern }, kind, isParameter);
        }
        break;
    }
  }

  #bindProperty({ key, computed, value }: Property & { value: Pattern }, kind: Kind, isParameter: boolean): void {
    const name = staticName(key, computed);
    if (name !== null) this.#bind(value, this.#read(kind, name, key), isParameter);
  }

  #bindCallback({ callee, arguments: [callback] }: CallExpression): void {
    if (callee.type !== "MemberExpression" || !isFunction(callback) || callback.params[0] === undefined) return;
    const element = elementOf(this.#kinds.get(callee.object) ?? "");
    if (element !== null && ITERATING.has(staticName(callee.property, callee.computed) ?? ""))
      this.#bind(callback.params[0], element);
  }

  /** The kind of a property that is read, or null. Throws POLICY_UNKNOWN_FACT. */
  #read(kind: Kind | undefined, name: string, node: AnyNode): Kind | null {
    if (kind === undefined || kind.startsWith("#")) return null;
    const found = propertyOf(kind, name);
    if (found !== undefined) return found;
    this.#tested ??= testedNames(this.source);
    if (this.#tested.has(name)) return null;
    throw new CountersignError(
      "POLICY_UNKNOWN_FACT",
      `reads \`${clip(name)}\`, which ${nameOf(kind)} does not have${didYouMean(name, propertiesOf(kind))}`,
      {
        place: placeIn(this.source, node),
        remedy: isFacts(kind)
          ? `correct the name, or ask for a fact of a newer version with \`"${clip(name)}" in\` the object first`
          : "correct the name",
      },
    );
  }

  #noteCall(node: CallExpression): void {
    const { callee, arguments: given } = node;
    if (callee.type !== "MemberExpression" || callee.object.type !== "Identifier") return;
    const kinds = given.map((argument) => this.#kinds.get(argument));
    switch (`${callee.object.name}.${staticName(callee.property, callee.computed)}`) {
      case "JSON.stringify":
        if (kinds[0] !== undefined) this.#set(node, JSON_TEXT);
        break;
      case "Object.entries":
        if (kinds[0] !== undefined && isFacts(kinds[0])) this.#set(node, ENTRIES);
        break;
      case "JSON.parse":
        if (kinds[0] === JSON_TEXT) this.#warn(node);
        break;
      case "Object.fromEntries":
        if (kinds[0] === ENTRIES) this.#warn(node);
        break;
      case "Object.assign":
        for (const kind of kinds.slice(1)) this.#warnOfCopy(node, kind);
        break;
    }
  }

  #warnOfCopy(node: AnyNode, kind: Kind | undefined): void {
    if (kind !== undefined && isFacts(kind)) this.#warn(node);
  }

  #warn(node: AnyNode): void {
    this.warnings.push({
      code: "POLICY_COPIED_FACTS",
      message: "copies facts into a plain object, where a fact that does not exist reads as undefined",
      place: placeIn(this.source, node),
      remedy: "read the facts from the subject or `current` itself",
    });
  }
}

/** Names that mean something in the whole file. */
function topLevelNames({ program }: Source): Set<string> {
  const names = new Set<string>();
  const visit: Visit = (node, state, as) => {
    if (as === "VariablePattern" && node.type === "Identifier") names.add(node.name);
    if (as === undefined && node.type === "ImportDeclaration")
      for (const { local } of node.specifiers) names.add(local.name);
    if (as === undefined && (node.type === "FunctionDeclaration" || node.type === "ClassDeclaration")) {
      if (node.id !== null) names.add(node.id.name);
    } else if (as !== undefined || !isFunction(node)) within[as ?? node.type]!(node, state, visit);
  };
  visit(program, undefined);
  return names;
}

function clip(name: string): string {
  return name.length > 64 ? `${name.slice(0, 63)}…` : name;
}
