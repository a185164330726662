import type { AnyNode, CallExpression, Literal } from "acorn";
import { configuredArgument } from "../model/guest.js";
import { placeIn } from "../syntax/source.js";
import { calledHelper } from "../units/called-helper.js";
import type { Unit } from "../units/units.js";

/** A keyring or map that a policy refers to. */
export interface ConfiguredName {
  readonly kind: "keyring" | "map";
  readonly name: string;
  /** The helper that takes the name. */
  readonly helper: string;
  readonly place: string;
}

/** Names of keyrings and maps that a file passes to helpers as literals. */
export function configuredNames(unit: Unit): ConfiguredName[] {
  const { source } = unit;
  const names: ConfiguredName[] = [];
  for (const node of source.nodes) {
    const helper = node.type === "CallExpression" ? calledHelper(node.callee, unit) : null;
    const wanted = helper === null ? null : configuredArgument(helper);
    if (wanted === null) continue;
    const literals: Literal[] = [];
    const { arguments: given } = node as CallExpression;
    addLiterals(given[given.length === 2 ? (wanted.ofTwo ?? wanted.argument) : wanted.argument], literals);
    for (const literal of literals)
      names.push({
        kind: wanted.kind,
        name: literal.value as string,
        helper: helper as string,
        place: placeIn(source, literal),
      });
  }
  return names;
}

/** Adds the string literals that an expression can evaluate to, such as in `a ?? "b"` and `c ? "d" : "e"`. */
function addLiterals(node: AnyNode | undefined, literals: Literal[]): void {
  if (node?.type === "Literal" && typeof node.value === "string") literals.push(node);
  if (node?.type === "LogicalExpression") {
    addLiterals(node.left, literals);
    addLiterals(node.right, literals);
  }
  if (node?.type === "ConditionalExpression") {
    addLiterals(node.consequent, literals);
    addLiterals(node.alternate, literals);
  }
}
