import type { AnyNode } from "acorn";
import { didYouMean } from "../../../nearest.js";
import { literalMapKeys } from "../../../policy/linker/map-keys.js";
import { MapSchema } from "../../../policy/maps/map-schema.js";
import { placeIn } from "../../../policy/syntax/source.js";
import type { Unit } from "../../../policy/units/units.js";
import { type MapSchemas, MapValues } from "../model/map-values.js";
import type { RuleText } from "../model/rule.js";
import type { ConfigComplaint } from "./configuration.js";

export const MAP_KEY_IMPOSSIBLE: RuleText = {
  code: "LINT_MAP_KEY_IMPOSSIBLE",
  severity: "error",
  summary: 'a key or property that the schema of the map excludes: `map_lookup("budgets", "egde")`, `budget.maximum`',
  consequence: "The key is never found and cannot be written, and the property is always undefined.",
};

export const MAP_VALUE_IMPOSSIBLE: RuleText = {
  code: "LINT_MAP_VALUE_IMPOSSIBLE",
  severity: "error",
  summary:
    'a comparison that no value of the map\'s schema makes true: `budget.level === "medium"`, `budget.max > 5000`',
  consequence: "The comparison is always false, or with `!==` always true.",
};

/** Keys and properties that maps cannot have, and comparisons with values that they cannot have. */
export function* schemaComplaints(unit: Unit, schemas: MapSchemas): Iterable<ConfigComplaint> {
  if (schemas.size === 0) return;
  for (const { map, key, place } of literalMapKeys(unit, ["map_lookup", "map_update", "map_delete"])) {
    const keys = schemas.get(map)?.keys;
    const flaw = keys === undefined ? null : new MapSchema({ keys }).breach(key, null)?.flaw;
    if (!flaw) continue;
    const listed = keys !== undefined && "enum" in keys ? keys.enum : [];
    const message = `\`${key}\` is no key of the map \`${map}\`: it ${flaw}${didYouMean(key, listed)}`;
    yield { rule: MAP_KEY_IMPOSSIBLE, place, message, remedy: REMEDY };
  }
  const values = new MapValues(unit, schemas);
  for (const node of unit.source.nodes) {
    if (node.type === "MemberExpression") {
      const message = values.missingProperty(node);
      if (message !== null)
        yield { rule: MAP_KEY_IMPOSSIBLE, place: placeIn(unit.source, node.property), message, remedy: REMEDY };
    }
    for (const { operator, left, right, at } of comparisonsIn(node)) {
      const mirrored = MIRRORED[operator] ?? operator;
      const message = values.neverTrue(operator, left, right) ?? values.neverTrue(mirrored, right, left);
      if (message !== null)
        yield { rule: MAP_VALUE_IMPOSSIBLE, place: placeIn(unit.source, at), message, remedy: REMEDY };
    }
  }
}

const REMEDY = "correct it, or the schema of the map in the configuration";

interface Comparison {
  readonly operator: string;
  readonly left: AnyNode;
  readonly right: AnyNode;
  readonly at: AnyNode;
}

function comparisonsIn(node: AnyNode): readonly Comparison[] {
  if (node.type === "BinaryExpression" && OPERATORS.has(node.operator) && node.left.type !== "PrivateIdentifier")
    return [{ operator: node.operator, left: node.left, right: node.right, at: node }];
  if (node.type !== "SwitchStatement") return [];
  return node.cases.flatMap(({ test }) =>
    test ? [{ operator: "===", left: node.discriminant, right: test, at: test }] : [],
  );
}

const OPERATORS: ReadonlySet<string> = new Set(["===", "!==", "<", "<=", ">", ">="]);
const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
