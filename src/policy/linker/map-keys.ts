import type { CallExpression, Expression, SpreadElement } from "acorn";
import { placeIn } from "../syntax/source.js";
import { calledHelper } from "../units/called-helper.js";
import type { Unit } from "../units/units.js";

/** A key that a policy looks up in a map, both as literals. */
export interface LiteralMapKey {
  readonly map: string;
  readonly key: string;
  /** `file:line:column` of the key. */
  readonly place: string;
}

/** The keys that a file looks up with `map_lookup`, where map and key are literals. */
export function literalMapKeys(unit: Unit): readonly LiteralMapKey[] {
  return unit.source.nodes.flatMap((node) => {
    if (node.type !== "CallExpression" || calledHelper(node.callee, unit) !== "map_lookup") return [];
    const [first, second] = (node as CallExpression).arguments;
    const [map, key] = [textOf(first), textOf(second)];
    return map === null || key === null ? [] : [{ map, key, place: placeIn(unit.source, second!) }];
  });
}

function textOf(node: Expression | SpreadElement | undefined): string | null {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return null;
  return node.quasis[0]?.value.cooked ?? null;
}
