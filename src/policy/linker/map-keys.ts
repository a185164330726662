import type { AnyNode, CallExpression, Expression, SpreadElement } from "acorn";
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

/** A call of a helper with a map and a key as literals. */
export interface LiteralMapCall extends LiteralMapKey {
  readonly helper: string;
  readonly call: CallExpression;
}

/** The helpers whose first arguments are a map and a key. */
const KEYED: ReadonlySet<string | null | undefined> = new Set(["map_lookup", "map_update", "map_delete"]);

/** The calls of a file about entries of maps, where map and key are literals. */
export function literalMapCalls(unit: Unit): readonly LiteralMapCall[] {
  return unit.source.nodes.flatMap((node) => {
    if (node.type !== "CallExpression") return [];
    const helper = calledHelper(node.callee, unit);
    if (!KEYED.has(helper)) return [];
    const [first, second] = (node as CallExpression).arguments;
    const [map, key] = [literalText(first), literalText(second)];
    if (map === null || key === null) return [];
    return [{ helper: helper!, call: node, map, key, place: placeIn(unit.source, second!) }];
  });
}

/** The keys that a file looks up with `map_lookup`, where map and key are literals. */
export function literalMapKeys(unit: Unit): readonly LiteralMapKey[] {
  return literalMapCalls(unit).filter(({ helper }) => helper === "map_lookup");
}

/** The text of a string, or of a template without expressions; null for anything else. */
export function literalText(node: AnyNode | Expression | SpreadElement | undefined): string | null {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return null;
  return node.quasis[0]?.value.cooked ?? null;
}
