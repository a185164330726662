import type { AnyNode, CallExpression } from "acorn";
import type { Unit } from "./units.js";

/** The name in the virtual module of a called function; null if the call is of another function. */
export function calledHelper(
  callee: CallExpression["callee"],
  unit: Pick<Unit, "bindings" | "variables">,
): string | null {
  if (callee.type === "Identifier") return importedName(callee, callee.name, unit);
  if (callee.type !== "MemberExpression" || callee.computed || callee.object.type !== "Identifier") return null;
  const isNamespace = importedName(callee.object, callee.object.name, unit) === "*";
  return isNamespace && callee.property.type === "Identifier" ? callee.property.name : null;
}

/** The name in the virtual module, or `*`, that a local name was imported as, unless an inner variable hides it. */
function importedName(
  node: AnyNode,
  name: string,
  { bindings, variables }: Pick<Unit, "bindings" | "variables">,
): string | null {
  return variables.meant(node) === variables.topLevel(name) ? (bindings.guest.get(name) ?? null) : null;
}
