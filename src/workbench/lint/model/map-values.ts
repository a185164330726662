import type { AnyNode } from "acorn";
import { didYouMean } from "../../../nearest.js";
import { literalMapKeys } from "../../../policy/linker/map-keys.js";
import { MapSchema, type MapSchemaRules } from "../../../policy/maps/map-schema.js";
import type { ValueSchema } from "../../../policy/maps/value-schema.js";
import type { Variable } from "../../../policy/syntax/variable.js";
import { staticName } from "../../../policy/units/property-names.js";
import type { Unit } from "../../../policy/units/units.js";

/** The schemas of maps by name. */
export type MapSchemas = ReadonlyMap<string, MapSchemaRules>;

/** Whether no number from `least` to `most` compares so with a constant. */
const NEVER: Readonly<Record<string, (least: number, most: number, constant: number) => boolean>> = {
  "<": (least, _, constant) => least >= constant,
  "<=": (least, _, constant) => least > constant,
  ">": (_, most, constant) => most <= constant,
  ">=": (_, most, constant) => most < constant,
};

/** The results of `typeof` that are not the name of the type. */
const TYPEOF: Readonly<Record<string, string>> = { null: "object", array: "object", integer: "number" };

/** Maximum number of references that are followed in a row, since references can form a cycle. */
const MAX_DEPTH = 32;

/**
 * Which expressions of a file are values of maps, and what the schemas of these say of them. A value that the file may
 * have changed is not followed: `map_lookup` gives a copy, with which a policy can do what it likes.
 */
export class MapValues {
  readonly #lookups: ReadonlyMap<AnyNode, string>;
  readonly #changes: boolean;

  constructor(
    private readonly unit: Unit,
    private readonly schemas: MapSchemas,
  ) {
    const lookups = literalMapLookups(unit);
    this.#lookups = lookups;
    this.#changes = lookups.size > 0 && unit.source.nodes.some(changesObject);
  }

  /** Why a property is always undefined; null if it may be there, or is no property of a value of a map. */
  missingProperty(node: AnyNode & { type: "MemberExpression" }): string | null {
    const name = staticName(node.property, node.computed);
    const schema = name === null ? null : this.#schemaOf(node.object);
    if (schema === null || !isObject(schema) || name! in {} || propertyOf(schema, name!) !== false) return null;
    return `a value of the map has no property \`${name}\`${didYouMean(name!, Object.keys(schema.properties ?? {}))}`;
  }

  /** Why a comparison is never true, or with `!==` always; null if it may be, or if it is about something else. */
  neverTrue(operator: string, value: AnyNode, other: AnyNode): string | null {
    const constant = constantOf(other);
    if (constant === undefined) return null;
    const never = NEVER[operator];
    if (value.type === "UnaryExpression" && value.operator === "typeof")
      return never === undefined ? this.#neverOfType(value.argument, constant) : null;
    const schema = this.#schemaOf(value);
    if (schema === null) return null;
    if (never === undefined) {
      const flaw = new MapSchema({ values: schema }).breach("", constant)?.flaw;
      return flaw === undefined
        ? null
        : `by the schema of the map, the value is never ${JSON.stringify(constant)}, which ${flaw}`;
    }
    const { type, minimum = -Infinity, maximum = Infinity } = schema;
    if ((type !== "integer" && type !== "number") || typeof constant !== "number") return null;
    return never(minimum, maximum, constant) ? `by the schema of the map, no value is ${operator} ${constant}` : null;
  }

  #neverOfType(value: AnyNode, constant: unknown): string | null {
    const { type } = this.#schemaOf(value) ?? {};
    if (type === undefined || constant === "undefined") return null;
    const names = new Set([type].flat().map((one) => TYPEOF[one] ?? one));
    if (names.has(constant as string)) return null;
    return `by the schema of the map, the type of the value is ${[...names].join(" or ")}`;
  }

  /** What the schema of a map says of an expression, apart from that it may be undefined; null if it says nothing. */
  #schemaOf(node: AnyNode, depth = 0): ValueSchema | null {
    if (depth > MAX_DEPTH || this.#changes) return null;
    switch (node.type) {
      case "ChainExpression":
        return this.#schemaOf(node.expression, depth + 1);
      case "CallExpression":
        return this.schemas.get(this.#lookups.get(node) ?? "")?.values ?? null;
      case "MemberExpression":
        return property(this.#schemaOf(node.object, depth + 1), staticName(node.property, node.computed));
      case "Identifier": {
        const variable = this.unit.variables.meant(node);
        if (variable === undefined || variable.writes > 1 || variable.isOpaque || variable.isVar) return null;
        const [value, ...others] = variable.values;
        return value === undefined || others.length > 0 ? null : this.#schemaOfValue(value, depth + 1);
      }
      case "LogicalExpression": {
        const schema = node.operator === "??" ? this.#schemaOf(node.left, depth + 1) : null;
        return schema !== null && schema.type === emptyType(node.right) ? schema : null;
      }
      default:
        return null;
    }
  }

  #schemaOfValue(value: Variable["values"][number], depth: number): ValueSchema | null {
    if (depth > MAX_DEPTH) return null;
    if ("expression" in value) return this.#schemaOf(value.expression, depth);
    if ("object" in value) return property(this.#schemaOfValue(value.object, depth + 1), value.key);
    const list = "elementOf" in value ? this.#schemaOfValue(value.elementOf, depth + 1) : null;
    return list?.type === "array" ? (list.items ?? null) : null;
  }
}

/** The calls of `map_lookup` with a map and a key as literals, and the map of each. */
function literalMapLookups(unit: Unit): ReadonlyMap<AnyNode, string> {
  return new Map(literalMapKeys(unit).map(({ call, map }) => [call, map]));
}

/** The type of an empty literal, about whose contents every schema is right; null for another expression. */
function emptyType(node: AnyNode): "array" | "object" | null {
  if (node.type === "ArrayExpression" && node.elements.length === 0) return "array";
  return node.type === "ObjectExpression" && node.properties.length === 0 ? "object" : null;
}

/** Whether an expression may change a property of an object or an element of an array. */
function changesObject(node: AnyNode): boolean {
  switch (node.type) {
    case "AssignmentExpression":
    case "ForInStatement":
    case "ForOfStatement":
      return node.left.type !== "Identifier" && node.left.type !== "VariableDeclaration";
    case "UpdateExpression":
      return node.argument.type !== "Identifier";
    case "UnaryExpression":
      return node.operator === "delete";
    case "MemberExpression":
      if (node.object.type === "Identifier" && CHANGING.has(node.object.name)) return true;
      return CHANGING_METHODS.has(staticName(node.property, node.computed));
    default:
      return false;
  }
}

/** Objects whose functions change others, and methods that change their array. */
const CHANGING: ReadonlySet<string> = new Set(["Object", "Reflect"]);
const CHANGING_METHODS: ReadonlySet<string | null> = new Set(
  "copyWithin fill pop push reverse shift sort splice unshift".split(" "),
);

/** The schema of a property; null if nothing is said of it. */
function property(schema: ValueSchema | null, name: string | null): ValueSchema | null {
  if (schema === null || name === null || !isObject(schema) || name in {}) return null;
  return propertyOf(schema, name) || null;
}

/** Whether a value that has properties is an object. */
function isObject({ type }: ValueSchema): boolean {
  return type !== undefined && [type].flat().every((one) => one === "object" || one === "null");
}

/** The schema of a property; false if there is no such property, and null if nothing is said of it. */
function propertyOf({ properties = {}, additionalProperties }: ValueSchema, name: string): ValueSchema | false | null {
  return Object.hasOwn(properties, name) ? properties[name]! : (additionalProperties ?? null);
}

/** The value of a literal; undefined for any other expression. */
function constantOf(node: AnyNode): unknown {
  if (node.type === "UnaryExpression" && node.operator === "-") {
    const value = constantOf(node.argument);
    return typeof value === "number" ? -value : undefined;
  }
  if (node.type !== "Literal") return staticName(node, true) ?? undefined;
  return node.value instanceof RegExp || typeof node.value === "bigint" ? undefined : node.value;
}
