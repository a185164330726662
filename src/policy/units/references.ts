import type { AnyNode } from "acorn";
import type { Value, Variable } from "../syntax/variable.js";
import { ANONYMOUS } from "./bindings.js";
import type { Unit } from "./units.js";
import { keyOf } from "./variables.js";

/** The meanings of expressions that this file follows. */
export type Meaning =
  /** A name of the virtual module, or `*` for the whole module. */
  | { readonly guest: string }
  /** All exports of a file: `import * as`. */
  | { readonly unit: number };

/** Maximum number of references that are followed in a row, since references can form a cycle. */
const MAX_DEPTH = 64;

/**
 * Resolves expressions through aliases, namespaces and the exports of a policy's own files, as far as the text
 * determines the meaning. A variable has a meaning if all values that it can have mean the same.
 */
export class References {
  readonly #imports: readonly ReadonlyMap<string, { readonly from: string; readonly name: string }>[];
  readonly #known = new Map<Variable, Meaning | null>();

  constructor(private readonly units: readonly Unit[]) {
    this.#imports = units.map(({ bindings }) => new Map(bindings.imports.map((one) => [one.local, one])));
  }

  /** The meaning of an expression of a file; null if it is not known. */
  meaning(node: AnyNode, unit: number, depth = 0): Meaning | null {
    if (depth > MAX_DEPTH) return null;
    switch (node.type) {
      case "Identifier": {
        const variable = this.units[unit]!.variables.meant(node);
        return variable === undefined ? null : this.#ofVariable(variable, unit, depth + 1);
      }
      case "MemberExpression": {
        const key = keyOf(node.property, node.computed);
        return key === null ? null : this.member(this.meaning(node.object, unit, depth + 1), key, depth + 1);
      }
      case "ChainExpression":
        return this.meaning(node.expression, unit, depth + 1);
      case "SequenceExpression":
        return this.meaning(node.expressions.at(-1)!, unit, depth + 1);
      case "AssignmentExpression":
        return node.operator === "=" ? this.meaning(node.right, unit, depth + 1) : null;
      case "ConditionalExpression":
        return same([this.meaning(node.consequent, unit, depth + 1), this.meaning(node.alternate, unit, depth + 1)]);
      case "LogicalExpression":
        return same([this.meaning(node.left, unit, depth + 1), this.meaning(node.right, unit, depth + 1)]);
      default:
        return null;
    }
  }

  #ofVariable(variable: Variable, unit: number, depth: number): Meaning | null {
    const known = this.#known.get(variable);
    if (known !== undefined) return known;
    // A variable that refers to itself has no meaning.
    this.#known.set(variable, null);
    const { bindings } = this.units[unit]!;
    const isTopLevel = this.units[unit]!.variables.topLevel(variable.name) === variable;
    const guest = isTopLevel ? bindings.guest.get(variable.name) : undefined;
    const imported = isTopLevel ? this.#imports[unit]!.get(variable.name) : undefined;
    const meaning =
      guest !== undefined
        ? { guest }
        : imported !== undefined
          ? this.#exported(this.units[unit]!.targets.get(imported.from)!, imported.name, depth)
          : variable.isOpaque
            ? null
            : same(variable.values.map((value) => this.#ofValue(value, unit, depth)));
    this.#known.set(variable, meaning);
    return meaning;
  }

  #ofValue(value: Value, unit: number, depth: number): Meaning | null {
    if ("expression" in value) return this.meaning(value.expression, unit, depth);
    if (!("object" in value) || depth > MAX_DEPTH) return null;
    return this.member(this.#ofValue(value.object, unit, depth + 1), value.key, depth);
  }

  /** The meaning of the member `key` of a namespace. */
  member(of: Meaning | null, key: string, depth = 0): Meaning | null {
    if (of === null) return null;
    if ("unit" in of) return this.#exported(of.unit, key, depth);
    return of.guest === "*" ? { guest: key } : null;
  }

  #exported(unit: number, name: string, depth: number): Meaning | null {
    if (name === "*") return { unit };
    const exported = this.units[unit]!.exports.get(name);
    if (exported === undefined || depth > MAX_DEPTH) return null;
    const { local, from, node } = exported;
    if (from !== null) return this.#exported(this.units[unit]!.targets.get(from)!, exported.name, depth + 1);
    if (local === ANONYMOUS)
      return node.type === "ExportDefaultDeclaration" ? this.meaning(node.declaration, unit, depth + 1) : null;
    const variable = this.units[unit]!.variables.topLevel(local!);
    return variable === undefined ? null : this.#ofVariable(variable, unit, depth + 1);
  }
}

function same(meanings: readonly (Meaning | null)[]): Meaning | null {
  const [first = null, ...others] = meanings;
  return others.every((other) => JSON.stringify(other) === JSON.stringify(first)) ? first : null;
}
