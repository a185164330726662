import { JSON_TYPES, nullOrAbsentName } from "../shared/atom.js";
import type { Knowledge } from "../solver/solver.js";
import type { Formula } from "./formula.js";

/** The values of which a formula says that they are null or absent. */
export function missingIn(formula: Formula): readonly string[] {
  if ("any" in formula) return formula.any.flatMap(missingIn);
  if ("all" in formula) return formula.all.flatMap(missingIn);
  const { atom, is } = formula;
  const entry = nullOrAbsentName(atom);
  if (entry !== null) return is ? [entry] : [];
  if (atom.kind === "exists") return is ? [] : [atom.of.slice(0, -1)];
  if (atom.kind === "null") return is ? [atom.of.slice(0, -1)] : [];
  return atom.kind === "type" && is === atom.among.includes("null") ? [atom.of] : [];
}

/** Whether a formula says only that a value is null or absent, or that something is null which it is a part of. */
export function isMissing(symbol: string, formula: Formula, { symbols }: Pick<Knowledge, "symbols">): boolean {
  if ("all" in formula) return false;
  if ("any" in formula) return formula.any.every((one) => isMissing(symbol, one, { symbols }));
  const { atom, is } = formula;
  if (nullOrAbsentName(atom) === symbol) return is;
  if (atom.kind === "exists") return !is && atom.of === `${symbol}!` && symbols.get(symbol)?.kind === "text";
  if (atom.kind === "null") return is && isWithin(symbol, atom.of.slice(0, -1));
  return atom.kind === "type" && atom.of === symbol && is === atom.among.includes("null") && isOnlyNull(atom.among, is);
}

function isOnlyNull(among: readonly string[], is: boolean): boolean {
  return !is && among.length === JSON_TYPES.length - 1;
}

function isWithin(name: string, whole: string): boolean {
  return name === whole || name.startsWith(`${whole}.`) || name.startsWith(`${whole}[`);
}
