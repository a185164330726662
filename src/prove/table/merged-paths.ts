import type { Exploration, Path } from "../explorer/exploration.js";
import { type Atom, nullOrAbsentName } from "../shared/atom.js";
import { type Condition, differInLast } from "../solver/condition.js";
import { namesIn } from "../solver/element-conditions.js";
import { solve } from "../solver/solver.js";

/** Paths with the same end and fewer conditions, for people. */
export interface MergedPath {
  readonly path: Path;
  readonly conditions: readonly Condition[];
}

/**
 * Merges paths whose conditions differ only in that one holds on one path and not on the other, if they end in the same
 * way; `sameEnd` is a text that is equal for such ends. Then leaves out conditions that follow from the others.
 */
export function mergedPaths(exploration: Exploration, sameEnd: (path: Path) => string): readonly MergedPath[] {
  let merged = exploration.paths.map((path): MergedPath => ({ path, conditions: path.conditions }));
  for (let before = -1; before !== merged.length; ) {
    before = merged.length;
    merged = mergedOnce(merged, sameEnd);
  }
  return merged.map(({ path, conditions }) => ({ path, conditions: essential(conditions, exploration) }));
}

/** Paths that differ in their last condition follow each other, as they are explored. */
function mergedOnce(paths: readonly MergedPath[], sameEnd: (path: Path) => string): MergedPath[] {
  const left: MergedPath[] = [];
  for (const one of paths) {
    const last = left.at(-1);
    const isSame = last !== undefined && sameEnd(last.path) === sameEnd(one.path);
    if (isSame && differInLast(last.conditions, one.conditions))
      left[left.length - 1] = { path: last.path, conditions: one.conditions.slice(0, -1) };
    else left.push(one);
  }
  return left;
}

function essential(conditions: readonly Condition[], { knowledge }: Exploration): readonly Condition[] {
  let left = conditions.filter((one) => !isNamedFurther(one, conditions));
  for (const one of conditions) {
    const others = left.filter((other) => other !== one);
    if (others.length === left.length) continue;
    if (solve([...others, { ...one, is: !one.is }], knowledge) === "unsatisfiable") left = others;
  }
  return left;
}

/**
 * Whether a condition says only that a value is there, or that it is a text or a number, and another one, about that
 * value or a part of it, says so too.
 */
function isNamedFurther({ atom, is }: Condition, conditions: readonly Condition[]): boolean {
  const entry = is ? null : nullOrAbsentName(atom);
  if (entry !== null) return isNamed(entry, atom, conditions);
  if (atom.kind !== "exists" && atom.kind !== "null" && atom.kind !== "type") return false;
  if (atom.kind === "type" && is && conditions.some((other) => hasType(other, atom.of, atom.among.join()))) return true;
  const isThere = atom.kind === "null" ? !is : atom.kind === "exists" ? is : is && atom.among.join() === "object";
  if (!isThere) return false;
  return isNamed(atom.kind === "type" ? atom.of : atom.of.slice(0, -1), atom, conditions);
}

/** Whether another condition than this one says something of a value that is there, or of a part of it. */
function isNamed(name: string, atom: Atom, conditions: readonly Condition[]): boolean {
  return conditions.some(({ atom: other, is: isOther }) => {
    // That a part is absent could also mean that the whole is
    if (other.kind === "exists" && !isOther) return false;
    if (other.kind === "any") return false;
    const named = other.kind === "some" ? [other.of] : namesIn(other);
    return named.some((one) => {
      if (one === name) return atom.kind !== "type" && isOfValue(other, isOther);
      return !("of" in atom && one === atom.of) && isPart(one, name);
    });
  });
}

/** Whether a condition is false if the value is absent. `is not "tc"` and `≠ 5` are true of an absent value. */
function isOfValue(atom: Atom, is: boolean): boolean {
  return is || atom.kind === "before" || (atom.kind === "number" && atom.is !== "= 0");
}

/** Whether a condition holds only for a value of a type. */
function hasType({ atom, is }: Condition, name: string, type: string): boolean {
  if (!namesIn(atom).includes(name)) return false;
  return KINDS.get(type)?.has(atom.kind) === true && isOfValue(atom, is);
}

/** The kinds of conditions about values of a type. */
const KINDS: ReadonlyMap<string, ReadonlySet<Atom["kind"]>> = new Map([
  ["number", new Set<Atom["kind"]>(["number", "integer"])],
  ["string", new Set<Atom["kind"]>(["equals", "starts", "ends", "matches", "regex", "before"])],
]);

function isPart(name: string, whole: string): boolean {
  return name.startsWith(`${whole}.`) || name.startsWith(`${whole}[`);
}
