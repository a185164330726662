import type { AnyNode, CallExpression, Literal } from "acorn";
import type { Bindings } from "./bindings.js";
import { GUEST_FUNCTIONS } from "./guest.js";
import { placeIn } from "./source.js";
import type { Unit } from "./units.js";

/** A keyring or map that a policy refers to. */
export interface ConfiguredName {
  readonly kind: "keyring" | "map";
  readonly name: string;
  /** The helper that takes the name. */
  readonly helper: string;
  readonly place: string;
}

/** Names of keyrings and maps that a file passes to helpers as literals. */
export function configuredNames({ source, bindings }: Unit): ConfiguredName[] {
  const names: ConfiguredName[] = [];
  for (const node of source.nodes) {
    const helper = node.type === "CallExpression" ? calledHelper(node.callee, bindings) : null;
    const wanted = helper === null ? null : (GUEST_FUNCTIONS[helper as keyof typeof GUEST_FUNCTIONS] ?? null);
    if (wanted === null) continue;
    const literals: Literal[] = [];
    addLiterals((node as CallExpression).arguments[wanted.argument], literals);
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

function calledHelper(callee: CallExpression["callee"], { guest }: Bindings): string | null {
  if (callee.type === "Identifier") return guest.get(callee.name) ?? null;
  if (callee.type !== "MemberExpression" || callee.computed || callee.object.type !== "Identifier") return null;
  return guest.get(callee.object.name) === "*" && callee.property.type === "Identifier" ? callee.property.name : null;
}
