import type { CallExpression, Expression, SpreadElement } from "acorn";
import { placeIn } from "../syntax/source.js";
import { calledHelper } from "../units/called-helper.js";
import type { Unit } from "../units/units.js";

/** A key that a helper gets with a map, both as literals. */
export interface LiteralMapKey {
  readonly helper: string;
  readonly map: string;
  readonly key: string;
  /** `file:line:column` of the key. */
  readonly place: string;
  readonly call: CallExpression;
}

/** The keys as literals of maps as literals that a file looks up; or that it writes and deletes, by other helpers. */
export function literalMapKeys(unit: Unit, helpers: readonly string[] = ["map_lookup"]): readonly LiteralMapKey[] {
  return unit.source.nodes.flatMap((node) => {
    if (node.type !== "CallExpression") return [];
    const helper = calledHelper(node.callee, unit);
    if (helper === null || !helpers.includes(helper)) return [];
    const [first, second] = (node as CallExpression).arguments;
    const [map, key] = [textOf(first), textOf(second)];
    if (map === null || key === null) return [];
    return [{ helper, map, key, place: placeIn(unit.source, second!), call: node }];
  });
}

function textOf(node: Expression | SpreadElement | undefined): string | null {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type !== "TemplateLiteral" || node.expressions.length > 0) return null;
  return node.quasis[0]?.value.cooked ?? null;
}
