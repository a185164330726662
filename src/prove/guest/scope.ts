import { Glob } from "../../policy/scope/glob.js";
import { type LabelCondition, labelHolds, type TaskCondition } from "../../policy/scope/task-condition.js";
import { get } from "./members.js";
import { type Integer, isWithin } from "./numbers.js";
import { notDecided, test } from "./path.js";
import { type Sym, type Term, termOf } from "./term.js";

/** Whether a condition of a scope holds for the caller, on this path. */
export function holds(condition: TaskCondition, current: Sym): boolean {
  if ("all" in condition) return condition.all.every((one) => holds(one, current));
  if ("any" in condition) return condition.any.some((one) => holds(one, current));
  if ("not" in condition) return !holds(condition.not, current);
  if ("isNull" in condition) return part(condition.isNull, current) === null;
  if ("uid" in condition) {
    const [first, last] = condition.uid;
    const uid = part("uid", current);
    if (typeof uid === "number") return uid >= first && uid <= last;
    return isWithin(termOf(uid) as Integer, BigInt(first), BigInt(last));
  }
  if ("label" in condition) return hasLabel(condition, current);
  const text = part(condition.text, current);
  return text !== null && matches(text, condition.glob);
}

/** A part of the caller; null also if the container is null. */
function part(path: string, current: Sym): unknown {
  return path.split(".").reduce<unknown>((at, key) => (at === null ? null : get(0, at, key)), current);
}

function matches(text: unknown, glob: string): boolean {
  if (typeof text === "string") return new Glob(glob).matches(text);
  const { name: of } = termOf(text) as Extract<Term, { k: "text" }>;
  return test(/[*?]/.test(glob) ? { kind: "matches", of, text: glob } : { kind: "equals", of, text: glob });
}

function hasLabel(condition: LabelCondition, current: Sym): boolean {
  const labels = part("container.labels", current);
  const value = labels === null ? undefined : get(0, labels, condition.label);
  if (value === undefined || typeof value === "string") return labelHolds(condition, value);
  switch (condition.is) {
    case "present":
      return true;
    case "among": {
      const { name: of } = termOf(value) as Extract<Term, { k: "text" }>;
      return condition.values.some((text) => test({ kind: "equals", of, text }));
    }
    default:
      return notDecided(`the label \`${condition.label}\` as a number in a scope`);
  }
}
