import { type FunctionNode, isFunction } from "../syntax/nodes.js";
import type { Unit } from "./units.js";

interface HookFunction {
  readonly unit: Unit;
  readonly node: FunctionNode;
}

/**
 * The function that a policy exports under this name, and its file; null if that does not follow from the text alone.
 */
export function hookFunction(units: readonly Unit[], name: string, unit = units.at(-1)!): HookFunction | null {
  const exported = unit.exports.get(name);
  if (exported === undefined) return null;
  const { from, local } = exported;
  if (from !== null) return hookFunction(units, exported.name, units[unit.targets.get(from)!]!);
  const imported = unit.bindings.imports.find((one) => one.local === local);
  if (imported !== undefined) return hookFunction(units, imported.name, units[unit.targets.get(imported.from)!]!);
  const variable = local === null ? undefined : unit.variables.topLevel(local);
  const [value, ...others] = variable?.values ?? [];
  if (value === undefined || others.length > 0 || !("expression" in value) || variable!.isOpaque) return null;
  return isFunction(value.expression) ? { unit, node: value.expression } : null;
}
